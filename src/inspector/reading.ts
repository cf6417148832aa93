/**
 * Reads of entries: kinds, pages, counts and single entries, at present or in
 * the past.
 *
 * The invariant: a request reads at most one page of the engine, for any number
 * of entries. Only the counts visit each key.
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

/** The largest number of entries or changes in a page. */
export const MOST_ROWS = 250;

/** The default number of entries in a page. */
const ROWS = 100;

/** The largest number that is counted in a range. */
const MOST_COUNTED = 100_000;

/** The names of a range's parameters. */
export const RANGE = ["kind", "prefix", "start", "end", "at"] as const;

/** The result of a read, and a revision up to which it has every change. */
interface Read<T> {
  readonly revision: number;
  readonly found: T;
}

/** Reads at the requested revision, or at present. */
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

/** The newest revision; 0 for a read-only file without a change log. */
async function newestRevision(
  { engine, read }: Inspection,
  signal: AbortSignal,
): Promise<number> {
  if (!isLogged(engine)) return 0;
  return await read("read entries", () => engine.log.head(), signal);
}

/** Whether there is a change log, or one can be created. */
function isLogged(engine: Engine): boolean {
  try {
    engine.assertWatchable("read the log");
    return true;
  } catch (error) {
    if (error instanceof StoreReadOnlyError) return false;
    throw error;
  }
}

/** The view in which kinds are counted. */
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

/** The kinds, each with the number of its entries, at one moment. */
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
  // Invalid entries are left out; verify reports them.
  const onUnreadable = (_problem: StoreError) => {};
  // One more entry shows whether there are more.
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

/** Whether there are entries after the first `limit` of a page that may have one more. */
function isMore({ items, rest }: Page<StoredEntry>, limit: number): boolean {
  // Otherwise, the page ended before its limit, for example because its values
  // are large.
  return items.length > limit || rest !== undefined;
}

/** The number of entries in a range, up to a limit. */
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

/** The part of a range after a key, in the order of reading. The key may be outside the range. */
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

/** The requested entry. Throws if there is none. */
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
      ? "Only the beginning of the text is loaded; load all of it"
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

/** A value as a file: its text, or its bytes if it has no text. */
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
