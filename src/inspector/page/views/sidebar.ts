/**
 * The views and the kinds, with live counts.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { KindCount } from "../../api.ts";
import { useCell } from "../model/cell.ts";
import { kinds } from "../model/kinds.ts";
import { lastSecond, rate } from "../model/rate.ts";
import { hrefOf, kindRoute, type Route, route } from "../model/route.ts";
import { formatNumber } from "../text/format.ts";

/** From this number of kinds on, there is a field to filter them. */
const MANY = 12;

/** The largest number of kinds in the list. */
const MOST_KINDS = 500;

/** The sidebar. */
export function Sidebar({ isOpen, onChoose }: {
  isOpen: boolean;
  onChoose: () => void;
}): VNode {
  const now = useCell(route);
  return html`
    <nav id="sidebar" class=${isOpen ? "sidebar is-open" : "sidebar"}
      aria-label="Views and kinds" onClick=${onChoose}>
      <ul class="nav-list">
        <li>
          <${RateLink} isCurrent=${now.view === "changes"} />
        </li>
        <li>${link(
          { view: "health" },
          now.view === "health",
          "Health",
          "",
        )}</li>
      </ul>
      <${KindList} now=${now} />
    </nav>
  ` as VNode;
}

function RateLink({ isCurrent }: { isCurrent: boolean }): VNode {
  const perSecond = lastSecond(useCell(rate));
  return link(
    { view: "changes" },
    isCurrent,
    "Changes",
    `${formatNumber(perSecond)}/s`,
  );
}

function KindList({ now }: { now: Route }): VNode {
  const { list, message } = useCell(kinds);
  const [filter, setFilter] = useState("");
  const shown = useMemo(
    () => (list ?? []).filter(({ kind }) => kind.includes(filter)),
    [list, filter],
  );
  return html`
    <h2 class="nav-title">Kinds</h2>
    ${(list?.length ?? 0) >= MANY && html`
      <input class="input nav-filter" type="text" value=${filter}
        aria-label="Filter the kinds" placeholder="Filter"
        onClick=${(event: Event) => event.stopPropagation()}
        onInput=${(event: Event) =>
          setFilter((event.target as HTMLInputElement).value)} />
    `}
    ${message && html`<p class="quiet nav-note">${message}</p>`}
    ${list?.length === 0 &&
      html`<p class="quiet nav-note">The store has no entries.</p>`}
    <ul class="nav-list" aria-label="Kinds">
      ${shown.slice(0, MOST_KINDS).map((one: KindCount) =>
        html`
          <li key=${one.kind}>
            <${KindLink} ...${one}
              isCurrent=${now.view === "entries" && now.kind === one.kind} />
          </li>
        `
      )}
    </ul>
    ${shown.length > MOST_KINDS && html`
      <p class="quiet nav-note">
        ${`${formatNumber(shown.length - MOST_KINDS)} more. Filter them.`}
      </p>
    `}
  ` as VNode;
}

function KindLink({ kind, count, isCurrent }: KindCount & {
  isCurrent: boolean;
}): VNode {
  return link(
    kindRoute(kind),
    isCurrent,
    kind,
    formatNumber(count),
  );
}

function link(to: Route, isCurrent: boolean, name: string, number: string) {
  return html`
    <a class="nav-link" href=${hrefOf(to)}
      aria-current=${isCurrent ? "page" : undefined}>
      <span class="nav-name">${name}</span>
      <span class="nav-count">${number}</span>
    </a>
  ` as VNode;
}
