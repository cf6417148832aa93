/**
 * A validator for each guarantee of a watch: it is told what was written and
 * what a watch saw, and says what is broken. It knows nothing of how either came
 * about, so that every test of watches can use it.
 *
 * @module
 */
import { assert, fail } from "@std/assert";
import type {
  ChangeType,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
} from "../../../src/contract/watch.ts";
import { readCursor } from "../../../src/engine/cursor.ts";
import { compareKeys } from "../../../src/keys/key_order.ts";

/** A change of an entry. */
export interface Change {
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  readonly type: ChangeType;
  readonly version: number;
  /** As JSON; of a deletion the previous one. */
  readonly value: string;
}

/** A change as a watch told it. */
export interface ToldChange extends Change {
  readonly cursor: string;
  /** As JSON: the value before an update, if it was asked for. */
  readonly previous?: string;
  readonly expired?: boolean;
}

/** What a stream gives. */
export type Item = ToldChange | WatchBookmark;

/** What was written, by whomever. */
export interface Written {
  /** Every change, by revision. */
  readonly changes: readonly Change[];
  /** The last revision of each transaction, where that is known. */
  readonly commits?: ReadonlySet<number>;
  /** The cursors that watches were told, by revision; they are noted here, to be compared with those of other watches. */
  readonly cursors?: Map<number, string>;
}

/** A watch's options, as validators take them. */
export type WatchedOptions = Omit<WatchOptions, "signal">;

/** One stream, from its call to its end. */
export interface Session {
  readonly kind: string;
  readonly options: WatchedOptions;
  /** The newest revision at the moment of the call; where it is not known, the replay's bookmark tells. */
  readonly start?: number;
  /** What the stream gave. */
  readonly items: readonly Item[];
  /** It was read until it had given everything up to this revision. */
  readonly until?: number;
}

/** What a watch saw: the streams of a consumer, each of which resumed where the one before was. */
export interface Watched {
  readonly name: string;
  readonly sessions: readonly Session[];
}

/** What a stream gave, as validators take it. */
export function toItem(item: WatchEvent | WatchBookmark): Item {
  if (item.type === "bookmark") return item;
  const told = { ...item, value: JSON.stringify(item.value) };
  return "previous" in told
    ? { ...told, previous: JSON.stringify(told.previous) }
    : told as ToldChange;
}

/** The revision that a stream resumes after, whether a cursor tells it or a number. */
export function revisionOf(after: string | number): number {
  return readCursor("validate", "after", after).revision;
}

/** Fails unless a watch kept every guarantee; tells each that is broken, and how. */
export function assertWatchGuarantees(
  written: Written,
  watched: Watched,
): void {
  const breaches = findBreaches(written, watched);
  if (breaches.length === 0) return;
  fail(`The watch "${watched.name}": ${breaches.join("\n")}`);
}

/** The guarantees that a watch broke, and how: `"W3 reliable: …"`. */
export function findBreaches(written: Written, watched: Watched): string[] {
  const breaches: string[] = [];
  for (const [guarantee, validate] of Object.entries(VALIDATORS)) {
    for (const breach of validate(written, watched)) {
      breaches.push(`${guarantee}: ${breach}`);
      // The others follow from the first, as a rule.
      break;
    }
  }
  return breaches;
}

type Validator = (written: Written, watched: Watched) => Iterable<string>;

const VALIDATORS: Readonly<Record<string, Validator>> = {
  "W1 ordered": eachSession(ordered),
  "W2 unique": unique,
  "W3 reliable": eachSession(reliable),
  "W4 atomic": eachSession(atomic),
  "W5 resumable": resumable,
  "W5 cursors": cursors,
  "W6 bookmarkable": eachSession(bookmarkable),
  "W7 complete": eachSession(complete),
  "W7 previous": eachSession(previous),
};

/** Events come by revision; replayed entries before them, by key. */
function* ordered(_: Written, { items }: Session): Iterable<string> {
  let last: Item | undefined;
  for (const item of items) {
    if (last && !mayFollow(last, item)) {
      yield `${tell(item)} came after ${tell(last)}`;
    }
    last = item;
  }
}

function mayFollow(last: Item, item: Item): boolean {
  if (!isReplayed(item)) return item.revision >= last.revision;
  return isReplayed(last) && compareKeys(last.key, item.key) <= 0;
}

/** No change comes twice, not in a later stream either; no key twice in a replay. */
function* unique(_: Written, { sessions }: Watched): Iterable<string> {
  const revisions = new Set<number>();
  for (const { items } of sessions) {
    const keys = new Set<string>();
    for (const item of items) {
      if (isBookmark(item)) continue;
      const seen = isReplayed(item) ? keys : revisions;
      const id = isReplayed(item) ? item.key : item.revision;
      if ((seen as Set<unknown>).has(id)) yield `${tell(item)} came twice`;
      (seen as Set<unknown>).add(id);
    }
  }
}

/** Between where a stream began and what it gave last, nothing is missing. */
function* reliable(written: Written, session: Session): Iterable<string> {
  const told = new Set(session.items.map(({ revision }) => revision));
  const last = session.items.at(-1)?.revision ?? 0;
  for (const change of changesFor(session, written, last)) {
    if (!told.has(change.revision)) yield `${tell(change)} is missing`;
  }
}

/** The replay is the state between two transactions; the events of one are contiguous. */
function* atomic(written: Written, session: Session): Iterable<string> {
  const start = startOf(session);
  const { commits } = written;
  if (session.options.initial && start !== undefined) {
    if (commits && start > 0 && !commits.has(start)) {
      yield `the replay is of revision ${start}, in the middle of a transaction`;
    }
    yield* replayed(written, session, start);
  }
  if (!commits) return;
  const transactionOf = new Map<number, number>();
  let transaction = 0;
  for (const { revision } of written.changes) {
    transactionOf.set(revision, transaction);
    if (commits.has(revision)) transaction++;
  }
  const done = new Set<number>();
  let current: number | undefined;
  for (const item of session.items) {
    if (isBookmark(item) || isReplayed(item)) continue;
    const transaction = transactionOf.get(item.revision);
    if (transaction === undefined || transaction === current) continue;
    if (done.has(transaction)) {
      yield `${tell(item)} came apart from the others of its transaction`;
    }
    done.add(current = transaction);
  }
}

function* replayed(
  written: Written,
  session: Session,
  start: number,
): Iterable<string> {
  const entries = entriesFor(session, written, start);
  let isWhole = session.until !== undefined;
  let last: string | undefined;
  for (const item of session.items) {
    if (!isReplayed(item)) {
      isWhole = true;
      break;
    }
    last = item.key;
    const entry = entries.get(last);
    entries.delete(last);
    const expected = entry &&
      { ...entry, type: "create", revision: 0 } as const;
    if (!expected || tell(expected) !== tell(item)) {
      yield `at revision ${start} there was no ${tell(item)}`;
    }
  }
  for (const entry of entries.values()) {
    const isPast = last === undefined || compareKeys(entry.key, last) > 0;
    if (isPast && !isWhole) continue;
    yield `${tell(entry)} is missing in the replay of revision ${start}`;
  }
}

/** A stream that resumes goes on exactly past what it was given, and so past the stream before. */
function* resumable(written: Written, { sessions }: Watched): Iterable<string> {
  for (const [i, session] of sessions.entries()) {
    if (session.options.after === undefined) continue;
    const after = revisionOf(session.options.after);
    const first = session.items.find((item) => !isBookmark(item));
    const [next] = changesFor(session, written, first?.revision ?? 0);
    if (first && first.revision !== next?.revision) {
      yield `after ${after} the first is ${tell(first)}`;
    }
    const last = sessions[i - 1]?.items.at(-1)?.revision ?? after;
    if (last > after) yield `it resumed after ${after}, and was at ${last}`;
  }
}

/** Everything has a cursor, which names its revision, and is the same whoever is told it. */
function* cursors(written: Written, { sessions }: Watched): Iterable<string> {
  const known = written.cursors ?? new Map<number, string>();
  for (const item of sessions.flatMap(({ items }) => items)) {
    const { revision, cursor } = item;
    if (!isCursorOf(revision, cursor)) {
      yield `${tell(item)} has the cursor ${cursor}`;
    }
    const other = known.get(revision) ?? cursor;
    if (cursor !== other) {
      yield `${tell(item)} has the cursor ${cursor}, and had ${other}`;
    }
    known.set(revision, other);
  }
}

function isCursorOf(revision: number, cursor: unknown): boolean {
  try {
    assert(typeof cursor === "string");
    return revisionOf(cursor) === revision;
  } catch {
    return false;
  }
}

/** What is not past a bookmark comes before it, and only what was asked for gives any. */
function* bookmarkable(written: Written, session: Session): Iterable<string> {
  const { options, items } = session;
  const head = written.changes.at(-1)?.revision ?? 0;
  const told = new Set<number>();
  const due = [...changesFor(session, written, Infinity)].reverse();
  let reached = 0;
  for (const item of items) {
    if (!isBookmark(item)) {
      if (!isReplayed(item) && item.revision <= reached) {
        yield `${tell(item)} came after a bookmark at ${reached}`;
      }
      told.add(item.revision);
      continue;
    }
    reached = item.revision;
    if (!options.bookmarks) yield `${tell(item)} was not asked for`;
    if (reached > head) yield `${tell(item)} is past the newest, ${head}`;
    while (due.length > 0 && due.at(-1)!.revision <= reached) {
      const change = due.pop()!;
      if (!told.has(change.revision)) {
        yield `${tell(change)} did not come before the bookmark at ${reached}`;
      }
    }
  }
  if (!options.initial || !options.bookmarks) return;
  const afterReplay = items.find((item) => !isReplayed(item));
  if (afterReplay && !isBookmark(afterReplay)) {
    yield `${tell(afterReplay)} came before the replay's bookmark`;
  }
}

/** Every change is told as it was made, whoever made it, and everything that was read for is there. */
function* complete(written: Written, session: Session): Iterable<string> {
  const changes = new Map(
    written.changes.map((change) => [change.revision, change]),
  );
  const told = new Set<number>();
  for (const item of session.items) {
    if (isBookmark(item) || isReplayed(item)) continue;
    told.add(item.revision);
    const change = changes.get(item.revision);
    if (!change) yield `${tell(item)} was never written`;
    else if (tell(change) !== tell(item)) {
      yield `${tell(change)} was told as ${tell(item)}`;
    } else if (!isAskedFor(item, session)) {
      yield `${tell(item)} was not asked for`;
    } else if (item.expired && item.type !== "delete") {
      yield `${tell(item)} is told as expired, and is no deletion`;
    }
  }
  for (const change of changesFor(session, written, session.until ?? 0)) {
    if (!told.has(change.revision)) yield `${tell(change)} was not told`;
  }
}

/** An update tells the value of the change before, if that was asked for, and nothing else does. */
function* previous(
  { changes }: Written,
  { kind, options, items }: Session,
): Iterable<string> {
  const values = new Map<string, string>();
  const before = new Map<number, string | undefined>();
  for (const change of changes) {
    if (change.kind !== kind) continue;
    before.set(change.revision, values.get(change.key));
    values.set(change.key, change.value);
  }
  for (const item of items) {
    if (isBookmark(item)) continue;
    const tells = options.previous && item.type === "update";
    const expected = tells ? before.get(item.revision) : undefined;
    // What was before all that is known to be written is not known.
    if (tells && expected === undefined) continue;
    if (item.previous !== expected) {
      yield `${tell(item)} has ${item.previous} before it, not ${expected}`;
    }
  }
}

// What a stream should give.

/** How many events a stream is to give, of all that was written; its start has to be known. */
export function countEvents(session: Session, written: Written): number {
  const { options, start } = session;
  const replayed = options.initial
    ? entriesFor(session, written, start!).size
    : 0;
  return replayed + [...changesFor(session, written, Infinity)].length;
}

/** The entries that a stream is to replay, by key: each with its last change. */
function entriesFor(
  { kind, options }: Session,
  { changes }: Written,
  start: number,
): Map<string, Change> {
  const entries = new Map<string, Change>();
  if (options.types && !options.types.includes("create")) return entries;
  for (const change of changes) {
    if (change.revision > start) break;
    if (change.kind !== kind || !isWatched(change.key, options)) continue;
    if (change.type === "delete") entries.delete(change.key);
    else entries.set(change.key, change);
  }
  return entries;
}

/** The changes that a stream is to give, up to a revision. */
function* changesFor(
  session: Session,
  { changes }: Written,
  until: number,
): Iterable<Change> {
  const start = startOf(session);
  if (start === undefined) return;
  for (const change of changes) {
    if (change.revision > until) return;
    if (change.revision > start && isAskedFor(change, session)) yield change;
  }
}

/** The revision past which a stream gives what changes. */
function startOf({ options, start, items }: Session): number | undefined {
  if (options.after !== undefined) return revisionOf(options.after);
  return start ?? items.find((item) => !isReplayed(item))?.revision;
}

function isAskedFor(change: Change, { kind, options }: Session): boolean {
  return change.kind === kind && isWatched(change.key, options) &&
    (options.types?.includes(change.type) ?? true);
}

function isWatched(
  key: string,
  { key: only, prefix }: WatchedOptions,
): boolean {
  return only === undefined ? key.startsWith(prefix ?? "") : key === only;
}

function isBookmark(item: Change | Item): item is WatchBookmark {
  return item.type === "bookmark";
}

function isReplayed(
  item: Item,
): item is ToldChange & { readonly revision: 0 } {
  return item.revision === 0 && !isBookmark(item);
}

function tell(item: Change | Item): string {
  if (isBookmark(item)) return `the bookmark at ${item.revision}`;
  const { revision, type, kind, key, version, value } = item;
  return `${revision} ${type} ${kind}/${key}@${version} ${value}`;
}

function eachSession(
  validate: (written: Written, session: Session) => Iterable<string>,
): Validator {
  return function* (written, { sessions }) {
    for (const session of sessions) yield* validate(written, session);
  };
}
