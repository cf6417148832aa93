/// <reference lib="dom" />
/**
 * The history of a key: its changes, and a button to restore a value.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Language, PastChange } from "../../api.ts";
import { useCell } from "../model/cell.ts";
import { KeyHistory } from "../model/key_history.ts";
import { hrefOf, route } from "../model/route.ts";
import { session } from "../model/session.ts";
import { Differences } from "../parts/differences.ts";
import { Problem } from "../parts/problem.ts";
import { formatNumber, formatShortTime } from "../text/format.ts";
import { RestoreDialog } from "./dialogs.ts";

const NAMES = { create: "created", update: "updated", delete: "deleted" };

/** The changes of a key, the newest first. */
export function History({ kind, name, language }: {
  kind: string;
  name: string;
  language?: Language;
}): VNode {
  const history = useMemo(() => new KeyHistory(kind, name, language), []);
  useEffect(() => () => history.close(), []);
  const { changes, next, isLoading, error } = useCell(history.past);
  // Later changes stay closed, so that the page does not jump.
  const opened = useRef<number>();
  opened.current ??= changes[0]?.revision;
  return html`
    ${error && html`<${Problem} message=${error.message} />`}
    ${changes.length === 0 && !error && html`
      <p class="quiet">${isLoading
        ? "Reading…"
        : "The log has no change of this key any more."}</p>
    `}
    <ol class="history" aria-label="Changes, the newest first">
      ${changes.map((change, index) =>
        html`
          <${Item} key=${change.revision} change=${change}
            isNewest=${index === 0}
            isFirst=${change.revision === opened.current} />
        `
      )}
    </ol>
    ${next !== undefined && html`
      <button type="button" class="button" disabled=${isLoading}
        onClick=${() => history.loadOlder()}>Show older changes</button>
    `}
    ${next === undefined && changes.length > 0 && html`
      <p class="quiet">This is as far back as the log reaches.</p>
    `}
  ` as VNode;
}

function Item({ change, isNewest, isFirst }: {
  change: PastChange;
  isNewest: boolean;
  /** Whether the change was the newest one when the history was opened. */
  isFirst: boolean;
}): VNode {
  const { revision, type, expired, version, changedAt, before, after } = change;
  const [isOpen, setOpen] = useState(isFirst);
  const what = expired ? "expired" : NAMES[type];
  return html`
    <li class="history-item">
      <details open=${isOpen} onToggle=${(event: Event) =>
        setOpen((event.target as HTMLDetailsElement).open)}>
        <summary>
          <span class=${`history-type type-${type}`}>${what}</span>
          <span class="history-version">${type === "delete"
            ? ""
            : `version ${formatNumber(version)}`}</span>
          <span class="history-revision">${`revision ${
            formatNumber(revision)
          }`}</span>
          <span class="history-time">${changedAt
            ? formatShortTime(changedAt)
            : ""}</span>
        </summary>
        ${isOpen && html`
          <${Differences} before=${before} after=${after}
            label=${`Differences of revision ${revision}`} />
          <${ItemActions} change=${change} isNewest=${isNewest} />
        `}
      </details>
    </li>
  ` as VNode;
}

function ItemActions({ change, isNewest }: {
  change: PastChange;
  isNewest: boolean;
}): VNode {
  const store = useCell(session);
  const now = useCell(route);
  const [isAsking, setAsking] = useState(false);
  const { revision, kind, key, type, before, after } = change;
  const isDeletion = type === "delete";
  const value = isDeletion ? before : after;
  const at = isDeletion ? revision - 1 : revision;
  const canRestore = store?.canWrite === true && value !== undefined &&
    (isDeletion || !isNewest);
  return html`
    <div class="actions">
      <a class="button" href=${hrefOf({
        ...now,
        at: revision,
        tab: undefined,
      })}>See the store then</a>
      ${canRestore && html`
        <button type="button" class="button"
          onClick=${() => setAsking(true)}>Bring this value back</button>
      `}
      ${isAsking && html`
        <${RestoreDialog} kind=${kind} name=${key} at=${at} value=${value}
          onClose=${() => setAsking(false)} />
      `}
    </div>
  ` as VNode;
}
