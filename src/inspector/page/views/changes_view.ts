/// <reference lib="dom" />
/**
 * The changes of all kinds as they happen: a chart and a feed.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { LiveChange } from "../../api.ts";
import { useCell } from "../model/cell.ts";
import {
  Feed,
  type FeedChange,
  type FeedGap,
  type FeedState,
  isGap,
  LONGEST_FEED,
} from "../model/feed.ts";
import { kinds } from "../model/kinds.ts";
import { entryRoute, hrefOf, replace, type Route } from "../model/route.ts";
import { Problem } from "../parts/problem.ts";
import { Preview } from "../parts/shown_value.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { TextFilter } from "../parts/text_filter.ts";
import { counted, formatNumber, formatShortTime } from "../text/format.ts";
import { RateChart } from "./rate_chart.ts";

const TYPES = ["create", "update", "delete"] as const;
const NAMES = { create: "created", update: "updated", delete: "deleted" };

/** The view of the changes. */
export function ChangesView({ now }: { now: Route }): VNode {
  return html`
    <section class="changes" aria-labelledby="changes-title">
      <${RateChart} />
      <${FilteredFeed} key=${JSON.stringify([now.kind, now.text, now.types])}
        now=${now} />
    </section>
  ` as VNode;
}

function FilteredFeed({ now }: { now: Route }): VNode {
  const feed = useMemo(
    () =>
      new Feed({
        kind: now.kind,
        text: now.text,
        types: now.types?.split(","),
      }),
    [],
  );
  useEffect(() => () => feed.close(), []);
  const state = useCell(feed.state);
  return html`
    <${FeedFilters} now=${now} feed=${feed} state=${state} />
    ${state.error && html`<${Problem} message=${state.error.message} />`}
    <div class="table-scroll">
      <table class="table feed">
        <caption class="unseen">Changes, the newest first</caption>
        <thead>
          <tr>
            <th scope="col" class="c-time">Time</th>
            <th scope="col" class="c-type">Change</th>
            <th scope="col" class="c-kind">Kind</th>
            <th scope="col" class="c-key">Key</th>
            <th scope="col" class="c-value">Value</th>
            <th scope="col" class="c-revision number">Revision</th>
          </tr>
        </thead>
        <tbody>${state.items.map(FeedItem)}</tbody>
      </table>
      ${state.items.length === 0 && html`
        <p class="empty">${state.isLoading
          ? "Reading…"
          : "No change matches. New ones appear here."}</p>
      `}
      <${Older} feed=${feed} state=${state} />
    </div>
  ` as VNode;
}

function FeedFilters({ now, feed, state }: {
  now: Route;
  feed: Feed;
  state: FeedState;
}): VNode {
  const { list = [] } = useCell(kinds);
  const narrow = (part: Partial<Route>) => replace({ ...now, ...part });
  const toggle = () => state.isPaused ? feed.resume() : feed.pause();
  useShortcut("pause", toggle);
  const names = new Set(list.map(({ kind }) => kind));
  if (now.kind !== undefined) names.add(now.kind);
  const onKind = (event: Event) => {
    const { value, selectedIndex } = event.target as HTMLSelectElement;
    narrow({ kind: selectedIndex === 0 ? undefined : value });
  };
  return html`
    <div class="toolbar">
      <button type="button" class="button button-main pause-button"
        title="Pause or resume the feed (p)"
        onClick=${toggle}>${state.isPaused ? "Resume" : "Pause"}</button>
      <span class="waiting">${state.isPaused
        ? `${formatNumber(state.waiting)} waiting`
        : ""}</span>
      <label class="field">
        <span class="field-label">Kind</span>
        <select class="input" value=${now.kind} onChange=${onKind}>
          <option selected=${now.kind === undefined}>All kinds</option>
          ${[...names].map((kind) =>
            html`<option value=${kind} selected=${
              kind === now.kind
            }>${kind}</option>`
          )}
        </select>
      </label>
      <${TextFilter} label="Keys that contain" value=${now.text}
        onValue=${(text?: string) => narrow({ text })} />
      <${TypeChoice} now=${now} />
    </div>
  ` as VNode;
}

function TypeChoice({ now }: { now: Route }): VNode {
  const chosen = now.types?.split(",") ?? TYPES;
  const toggle = (type: LiveChange["type"]) => {
    const next = TYPES.filter((one) => chosen.includes(one) !== (one === type));
    const isAll = next.length === TYPES.length;
    replace({ ...now, types: isAll ? undefined : next.join(",") });
  };
  return html`
    <fieldset class="choice">
      <legend class="unseen">Types of changes</legend>
      ${TYPES.map((type) =>
        html`
          <label class="check">
            <input type="checkbox" checked=${chosen.includes(type)}
              onChange=${() => toggle(type)} />
            <span>${NAMES[type]}</span>
          </label>
        `
      )}
    </fieldset>
  ` as VNode;
}

function FeedItem(item: FeedChange | FeedGap): VNode {
  if (isGap(item)) {
    return html`
      <tr key=${`gap ${item.revision}`} class="gap">
        <td colspan="6">${item.message}</td>
      </tr>
    ` as VNode;
  }
  const { revision, kind, key, type, expired, time, preview, isLive } = item;
  return html`
    <tr key=${revision} class=${isLive ? `flash-${type}-0` : undefined}>
      <td class="c-time">${time && html`
        <time datetime=${time} title=${time}>${formatShortTime(
          time,
        )}</time>
      `}</td>
      <td class=${`c-type type-${type}`}>${expired
        ? "expired"
        : NAMES[type]}</td>
      <td class="c-kind" title=${kind}>${kind}</td>
      <td class="c-key"><a href=${hrefOf(
        entryRoute(kind, key),
      )} title=${key}>${key}</a></td>
      <td class="c-value">${preview &&
        html`<${Preview} value=${preview} />`}</td>
      <td class="c-revision number">${formatNumber(revision)}</td>
    </tr>
  ` as VNode;
}

function Older(
  { feed, state }: { feed: Feed; state: FeedState },
): VNode | null {
  const { next, items, isLoading } = state;
  if (items.length >= LONGEST_FEED) {
    return html`
      <p class="empty">${counted(
        LONGEST_FEED,
        "change is",
        "changes are",
      )} here. Use the filter to find older ones.</p>
    ` as VNode;
  }
  if (next === undefined) return null;
  return html`
    <p class="empty">
      <button type="button" class="button" disabled=${isLoading}
        onClick=${() => feed.loadOlder()}>Show older changes</button>
    </p>
  ` as VNode;
}
