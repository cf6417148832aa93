/// <reference lib="dom" />
/**
 * The entries of a kind: filter, pages, table, and the slider of time.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Cell, useCell } from "../model/cell.ts";
import { RangeCount } from "../model/counted.ts";
import { Entries, type PageQuery, type Table } from "../model/entries.ts";
import { kinds } from "../model/kinds.ts";
import { go, hrefOf, replace, type Route, route } from "../model/route.ts";
import { session } from "../model/session.ts";
import { Problem } from "../parts/problem.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { TextFilter } from "../parts/text_filter.ts";
import { counted } from "../text/format.ts";
import { EntryTable } from "./entry_table.ts";
import { TimeBar } from "./time_bar.ts";

/** The table of a kind, with its controls. */
export function EntriesView({ now }: { now: Route }): VNode {
  const kind = now.kind!;
  const entries = useEntries({
    kind,
    prefix: now.prefix,
    start: now.start,
    end: now.end,
    at: now.at,
    past: now.past,
    reverse: now.reverse,
  });
  return html`
    <section class="entries" aria-labelledby="kind-title">
      <${Toolbar} key=${kind} now=${now} />
      <${Pages} now=${now} cell=${entries.table} />
      <${Rows} now=${now} entries=${entries} />
      <${TimeBar} at=${now.at} />
    </section>
  ` as VNode;
}

/** The entries of a page. They follow the store while the component exists. */
function useEntries(query: PageQuery): Entries {
  const ref = useRef<{ entries: Entries; name: string }>();
  const name = JSON.stringify(query);
  ref.current ??= { entries: new Entries(query), name };
  useEffect(() => {
    if (ref.current!.name === name) return;
    ref.current!.name = name;
    ref.current!.entries.show(query);
  }, [name]);
  useEffect(() => () => ref.current!.entries.close(), []);
  return ref.current.entries;
}

function Toolbar({ now }: { now: Route }): VNode {
  const { start, end, prefix, kind } = now;
  const [isRange, setRange] = useState(
    start !== undefined || end !== undefined,
  );
  const filter = useRef<HTMLInputElement>(null);
  useShortcut("filter", () => filter.current?.focus());
  const narrow = (part: Partial<Route>) =>
    replace({ ...route.value, ...part, past: undefined, reverse: undefined });
  const toggle = () => {
    if (isRange) narrow({ start: undefined, end: undefined });
    setRange(!isRange);
  };
  return html`
    <div class="toolbar">
      <h2 id="kind-title" class="view-title" tabindex="-1">${kind}</h2>
      <${TextFilter} label="Keys that begin with" value=${prefix}
        inputRef=${filter}
        onValue=${(value?: string) => narrow({ prefix: value })} />
      ${isRange && html`
        <${TextFilter} label="From" value=${start}
          onValue=${(value?: string) => narrow({ start: value })} />
        <${TextFilter} label="Before" value=${end}
          onValue=${(value?: string) => narrow({ end: value })} />
      `}
      <button type="button" class="button" aria-expanded=${isRange}
        onClick=${toggle}>${isRange ? "No range" : "Range"}</button>
    </div>
  ` as VNode;
}

function Pages({ now, cell }: { now: Route; cell: Cell<Table> }): VNode {
  const table = useCell(cell);
  const { rows, hasBefore, hasAfter } = table;
  const first = rows[0]?.key;
  const last = rows.at(-1)?.key;
  const page = (past?: string, reverse?: boolean): Route => ({
    ...now,
    past,
    reverse: reverse || undefined,
  });
  const previous = hasBefore
    ? page(first ?? table.query.past, true)
    : undefined;
  const next = hasAfter ? page(last ?? table.query.past) : undefined;
  useShortcut("previousPage", () => previous && go(previous));
  useShortcut("nextPage", () => next && go(next));
  return html`
    <div class="pages">
      <nav class="turns" aria-label="Pages">
        ${turn(hasBefore ? page() : undefined, "First page", "«")}
        ${turn(previous, "Page before (b)", "‹")}
        ${turn(next, "Next page (n)", "›")}
        ${turn(hasAfter ? page(undefined, true) : undefined, "Last page", "»")}
      </nav>
      <${Count} key=${JSON.stringify(rangeOf(now))} now=${now} />
      <span class="spring"></span>
      <${NewEntry} now=${now} />
    </div>
  ` as VNode;
}

function NewEntry({ now }: { now: Route }): VNode | null {
  const canWrite = useCell(session)?.canWrite === true;
  const create: Route = { ...now, key: undefined, tab: "new", at: undefined };
  useShortcut("create", () => canWrite && go(create));
  if (!canWrite) return null;
  return html`
    <a class="button button-main" href=${hrefOf(create)}>New entry</a>
  ` as VNode;
}

function turn(to: Route | undefined, label: string, sign: string): VNode {
  return html`
    <button type="button" class="button page-button" aria-label=${label}
      title=${label} disabled=${to === undefined}
      onClick=${() => to && go(to)}>${sign}</button>
  ` as VNode;
}

function rangeOf({ kind, prefix, start, end, at }: Route) {
  return { kind: kind!, prefix, start, end, at };
}

function Count({ now }: { now: Route }): VNode {
  const isWhole = [now.prefix, now.start, now.end].every((part) =>
    part === undefined
  );
  return isWhole
    ? html`<${KindTotal} kind=${now.kind} />` as VNode
    : html`<${RangeTotal} now=${now} />` as VNode;
}

function KindTotal({ kind }: { kind: string }): VNode {
  const { list } = useCell(kinds);
  const found = list?.find((one) => one.kind === kind);
  return total(list && counted(found?.count ?? 0, "entry", "entries"));
}

function RangeTotal({ now }: { now: Route }): VNode {
  const [count] = useState(() => new RangeCount(rangeOf(now)));
  useEffect(() => () => count.close(), []);
  const answer = useCell(count.answer);
  if (answer === undefined) return total(undefined);
  const text = counted(answer.count, "entry", "entries");
  return total(answer.isMore ? `More than ${text} match` : `${text} match`);
}

function total(text: string | undefined): VNode {
  return html`<span class="total">${text ?? "\u00a0"}</span>` as VNode;
}

function Rows({ now, entries }: { now: Route; entries: Entries }): VNode {
  const table = useCell(entries.table);
  const { error, rows, isLoading, query } = table;
  useFirstPage(table);
  if (error !== undefined) {
    return html`
      <div class="table-area">
        <${Problem} message=${error.message}>
          <button type="button" class="button"
            onClick=${() => entries.load()}>Try again</button>
          ${now.at !== undefined && html`
            <button type="button" class="button"
              onClick=${() => go({ ...route.value, at: undefined })}>
              Back to now
            </button>
          `}
        <//>
      </div>
    ` as VNode;
  }
  return html`
    <div class="table-area" aria-busy=${isLoading}>
      <${EntryTable} rows=${rows} kind=${query.kind} selected=${now.key}
        place=${`${query.past ?? ""} ${query.reverse ?? ""}`} />
      ${rows.length === 0 && html`
        <p class="empty">${isLoading ? "Reading…" : emptyText(table, now)}</p>
      `}
    </div>
  ` as VNode;
}

function emptyText({ query, hasBefore, hasAfter }: Table, now: Route): string {
  if (hasBefore || hasAfter) return "This page has no entries. Go to another.";
  if (query.prefix ?? query.start ?? query.end) {
    return "No key is in this range.";
  }
  return now.at === undefined
    ? "This kind has no entries."
    : "This kind had no entries then.";
}

/** If a previous page reaches the beginning, it becomes the first page. */
function useFirstPage({ query, isLoading, hasBefore }: Table): void {
  const isFirst = !isLoading && query.reverse && query.past !== undefined &&
    !hasBefore;
  useEffect(() => {
    if (!isFirst || route.value.past !== query.past) return;
    replace({ ...route.value, past: undefined, reverse: undefined });
  }, [isFirst, query.past]);
}
