/// <reference lib="dom" />
/**
 * The state of the page, as the fragment of its URL, so that back, forward,
 * reload and links work. A fragment is never sent to a server.
 *
 * @module
 */
import { Cell } from "./cell.ts";

/** The main views. */
export type View = "entries" | "changes" | "health";

/** The tabs of the panel beside the table. */
export type Tab = "value" | "history" | "edit" | "new";

/** The state of the page. */
export interface Route {
  readonly view: View;
  /** The kind of the table; in "changes" the only kind to show. */
  readonly kind?: string;
  /** Only keys that begin with this text. */
  readonly prefix?: string;
  /** The first key, inclusive. */
  readonly start?: string;
  /** The end of the keys, exclusive. */
  readonly end?: string;
  /** The page has the entries after this key. */
  readonly past?: string;
  /** Whether the page lies before `past`, or at the end of all. */
  readonly reverse?: boolean;
  /** The entry in the panel. */
  readonly key?: string;
  readonly tab?: Tab;
  /** The revision of the shown entries. Absent: the present. */
  readonly at?: number;
  /** In "changes": only keys that contain this. */
  readonly text?: string;
  /** In "changes": the types to show, with commas between them. */
  readonly types?: string;
}

const VIEWS: readonly string[] = ["entries", "changes", "health"];
const TABS: readonly string[] = ["value", "history", "edit", "new"];

/** Reads a fragment, such as "#entries?kind=users". Invalid parts are left out. */
export function parseRoute(fragment: string): Route {
  const [name, query = ""] = split(fragment.replace(/^#/, ""));
  const given = new URLSearchParams(query);
  const text = (name: string) => given.get(name) ?? undefined;
  const tab = text("tab");
  const at = Number(given.get("at") ?? NaN);
  return {
    view: VIEWS.includes(name) ? name as View : "entries",
    kind: text("kind"),
    prefix: text("prefix"),
    start: text("start"),
    end: text("end"),
    past: text("past"),
    reverse: given.has("reverse") || undefined,
    key: text("key"),
    tab: tab && TABS.includes(tab) ? tab as Tab : undefined,
    at: Number.isSafeInteger(at) && at >= 0 ? at : undefined,
    text: text("text"),
    types: text("types"),
  };
}

function split(text: string): string[] {
  const mark = text.indexOf("?");
  return mark < 0 ? [text] : [text.slice(0, mark), text.slice(mark + 1)];
}

/** The fragment of a route. */
export function hrefOf(route: Route): string {
  const { view, ...rest } = route;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || value === false) continue;
    query.set(name, value === true ? "1" : String(value));
  }
  const text = query.toString();
  return text === "" ? `#${view}` : `#${view}?${text}`;
}

/** The present state of the page. */
export const route: Cell<Route> = new Cell(parseRoute(""));

/** The last state of the entries view. */
let lastEntries: Route = route.value;
route.subscribe((now) => {
  if (now.view === "entries") lastEntries = now;
});

/** Goes back to the last state of the entries view. */
export function goToEntries(): void {
  go(lastEntries);
}

/** Shows the state in the URL, now and whenever the user goes back or forward. */
export function followUrl(): void {
  const take = () => {
    if (hrefOf(route.value) === location.hash) return;
    route.value = parseRoute(location.hash);
  };
  addEventListener("hashchange", take);
  addEventListener("popstate", take);
  take();
}

/** Shows another state, as a new step of the browser's history. */
export function go(next: Route): void {
  const href = hrefOf(next);
  if (href === location.hash) return;
  history.pushState(null, "", href);
  route.value = next;
}

/** Shows another state, and replaces the present step of the browser's history. */
export function replace(next: Route): void {
  history.replaceState(null, "", hrefOf(next));
  route.value = next;
}

/** The table of a kind, from its first entry, at the same time as now. */
export function kindRoute(kind: string): Route {
  return { view: "entries", kind, at: route.value.at };
}

/** The panel of an entry. The table stays if it is of the kind. */
export function entryRoute(kind: string, key: string, tab?: Tab): Route {
  const now = route.value;
  const table: Route = now.view === "entries" && now.kind === kind
    ? now
    : { view: "entries", kind };
  return { ...table, key, tab };
}

/** The table without the panel. */
export function withoutPanel(): Route {
  return { ...route.value, key: undefined, tab: undefined };
}
