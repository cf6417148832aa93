/**
 * What is read of the entries: kinds, pages, counts and single entries, as they
 * are now, or as they were.
 *
 * The invariant: a request reads one page of the engine at most, however many
 * entries there are; only the counts look at each key.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import { type StoreError, StoreReadOnlyError } from "../contract/errors.ts";
import type { Engine } from "../engine/engine.ts";
import type { StoredEntry } from "../engine/entries.ts";
import type { Page } from "../engine/page.ts";
import type { View } from "../engine/view.ts";
import { ALL_KEYS, intersect, type KeyRange } from "../keys/key_range.ts";
import type { Inspection } from "../store/inspection.ts";
import { selectionOf } from "../store/options.ts";
import type {
  CountAnswer,
  EntriesPage,
  EntryAnswer,
  EntryRow,
  KindsAnswer,
} from "./api.ts";
import { RequestError } from "./failures.ts";
import type { Parameters } from "./requests.ts";
import {
  languageOf,
  LONGEST_TEXT,
  MOST_SHOWN,
  previewOf,
  textOf,
  valueText,
  whyNotEdited,
} from "./shown_values.ts";

/** The most entries, or changes, in a page. */
export const MOST_ROWS = 250;

/** How many entries a page has if no other number is asked for. */
const ROWS = 100;

/** How far a range is counted. */
const MOST_COUNTED = 100_000;

/** The names of a range's parameters. */
export const RANGE = ["kind", "prefix", "start", "end", "at"] as const;

/** Something that was read, and a revision up to which it holds every change. */
interface Read<T> {
  readonly revision: number;
  readonly found: T;
}

/** Reads as of the revision that is asked for, or now. */
async function readAt<T>(
  inspection: Inspection,
  at: number | undefined,
  read: (view: View) => MaybePromise<T>,
  signal: AbortSignal,
): Promise<Read<T>> {
  const { engine } = inspection;
  const action = "read entries";
  if (at === undefined) {
    const revision = await newestRevision(inspection, signal);
    const found = await inspection.read(action, () => read(engine), signal);
    return { revision, found };
  }
  const view = await inspection.openPast(at, signal);
  try {
    const found = await inspection.read(action, () => read(view), signal);
    return { revision: at, found };
  } finally {
    await view.close();
  }
}

/** The newest revision; 0 of a file that has no change log, and may only be read. */
async function newestRevision(
  { engine, read }: Inspection,
  signal: AbortSignal,
): Promise<number> {
  if (!isLogged(engine)) return 0;
  return await read("read entries", () => engine.log.head(), signal);
}

/** Whether there is a change log, or one can be made. */
function isLogged(engine: Engine): boolean {
  try {
    engine.assertWatchable("read the log");
    return true;
  } catch (error) {
    if (error instanceof StoreReadOnlyError) return false;
    throw error;
  }
}

/** What the kinds are counted in. */
interface Counted extends Pick<View, "kinds" | "count"> {
  readonly revision: number;
  close(): MaybePromise<void>;
}

async function openCounted(
  { engine, openPast }: Inspection,
  at: number | undefined,
  signal: AbortSignal,
): Promise<Counted> {
  if (at !== undefined || isLogged(engine)) return await openPast(at, signal);
  return {
    revision: 0,
    kinds: (signal) => engine.kinds(signal),
    count: (...range) => engine.count(...range),
    close() {},
  };
}

/** The kinds, and how many entries each has, as of one moment. */
export async function readKinds(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<KindsAnswer> {
  const at = parameters.integer("at", 0);
  const view = await openCounted(inspection, at, signal);
  const read = <T>(work: () => MaybePromise<T>) =>
    inspection.read("count entries", work, signal);
  try {
    const kinds = [];
    for (const kind of await read(() => view.kinds(signal))) {
      const count = await read(() =>
        view.count(kind, ALL_KEYS, undefined, signal)
      );
      const codec = inspection.values.codecOf(kind);
      kinds.push({ kind, count, codec });
    }
    return { revision: view.revision, kinds };
  } finally {
    await view.close();
  }
}

/** A page of entries. */
export async function readEntries(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<EntriesPage> {
  const kind = parameters.name("kind");
  const reverse = parameters.flag("reverse");
  const limit = parameters.integer("limit", 1, MOST_ROWS) ?? ROWS;
  const past = parameters.text("past");
  const whole = rangeOf(parameters);
  const range = past === undefined ? whole : pastKey(whole, past, reverse);
  // What is not as the engine keeps it is left out: verify tells of it.
  const onUnreadable = (_problem: StoreError) => {};
  // One more tells whether there are more.
  const page = { limit: limit + 1, reverse, onUnreadable };
  const { revision, found } = await readAt<Page<StoredEntry>>(
    inspection,
    parameters.integer("at", 0),
    (view) => view.entries(kind, range, page, signal),
    signal,
  );
  return {
    revision,
    entries: found.items.slice(0, limit)
      .map((entry) => rowOf(inspection, kind, entry)),
    hasMore: isMore(found, limit),
  };
}

/** Whether there are entries past the first `limit` of a page that may have one more. */
function isMore({ items, rest }: Page<StoredEntry>, limit: number): boolean {
  // Else the page ends before its limit, as one of large values does.
  return items.length > limit || rest !== undefined;
}

/** How many entries a range has, up to a limit. */
export async function countEntries(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<CountAnswer> {
  const kind = parameters.name("kind");
  const range = rangeOf(parameters);
  const { found } = await readAt(
    inspection,
    parameters.integer("at", 0),
    (view) => view.count(kind, range, MOST_COUNTED + 1, signal),
    signal,
  );
  return {
    count: Math.min(found, MOST_COUNTED),
    isMore: found > MOST_COUNTED,
  };
}

function rangeOf(parameters: Parameters): KeyRange {
  const given = {
    prefix: parameters.text("prefix"),
    start: parameters.text("start"),
    end: parameters.text("end"),
  };
  try {
    return selectionOf("read entries", given).keys;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RequestError(400, "BAD_REQUEST", error.message);
  }
}

/** What is left of a range past a key, in the order of reading. The key may be anywhere. */
function pastKey(range: KeyRange, key: string, reverse: boolean): KeyRange {
  const bound = { key, inclusive: false };
  return intersect(
    range,
    reverse
      ? { lower: { key: "", inclusive: true }, upper: bound }
      : { lower: bound },
  );
}

function rowOf(
  { values }: Inspection,
  kind: string,
  { key, value, version, revision, ...times }: StoredEntry,
): EntryRow {
  return {
    key,
    preview: previewOf(values, { kind, key, value }),
    size: value.length,
    version,
    revision,
    ...timesOf(times),
  };
}

function timesOf(
  { updatedAt, expiresAt }: Pick<StoredEntry, "updatedAt" | "expiresAt">,
): { updatedAt: string; expiresAt?: string } {
  return {
    updatedAt: updatedAt.toISOString(),
    ...(expiresAt === undefined
      ? {}
      : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

/** The entry that is asked for; throws if there is none. */
async function readStored(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<StoredEntry & { readonly kind: string }> {
  const kind = parameters.name("kind");
  const key = parameters.name("key");
  const { found } = await readAt(
    inspection,
    parameters.integer("at", 0),
    (view) => view.entry(kind, key, signal),
    signal,
  );
  if (found) return { ...found, kind };
  throw new RequestError(404, "NOT_FOUND", "There is no such entry");
}

/** An entry, with its value as text. */
export async function readEntry(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<EntryAnswer> {
  const { values } = inspection;
  const stored = await readStored(inspection, parameters, signal);
  const { kind, key, version, revision } = stored;
  const codec = values.codecOf(kind);
  const language = parameters.language() ?? languageOf(codec);
  const longest = parameters.integer("text", 1) ?? LONGEST_TEXT;
  const value = textOf(values, stored, language, longest);
  const editReason = value.state === "text"
    ? value.isCut
      ? "Only the beginning of the text is here; ask for all of it"
      : await whyNotEdited(
        values,
        stored,
        valueOf(inspection, stored, language),
      )
    : "It cannot be shown as text";
  return {
    kind,
    key,
    value,
    size: stored.value.length,
    codec,
    version,
    revision,
    ...timesOf(stored),
    canEdit: editReason === undefined,
    ...(editReason === undefined ? {} : { editReason }),
  };
}

function valueOf(
  { values }: Inspection,
  { kind, key, value }: StoredEntry & { readonly kind: string },
  language: "json" | "yaml",
) {
  return valueText(values.decode(kind, key, value.slice()), language);
}

/** A value as a file: its text, or its bytes if it has none. */
export interface Download {
  readonly name: string;
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** The whole value of an entry. */
export async function readValue(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<Download> {
  const { values } = inspection;
  const stored = await readStored(inspection, parameters, signal);
  const language = parameters.language() ??
    languageOf(values.codecOf(stored.kind));
  const shown = stored.value.length > MOST_SHOWN
    ? undefined
    : textOf(values, stored, language, Infinity);
  if (shown?.state !== "text") {
    const body = new Uint8Array(stored.value);
    return { name: "value.bin", type: "application/octet-stream", body };
  }
  return {
    name: `value.${shown.language}`,
    type: "text/plain; charset=utf-8",
    body: shown.text,
  };
}
