/**
 * Reads of the change log: its reach, and its changes from the newest to the
 * oldest.
 *
 * @module
 */
import { RevisionUnavailableError } from "../contract/errors.ts";
import type { ChangePage, StoredChange } from "../engine/entries.ts";
import { ALL_KEYS, prefixRange, singleKey } from "../keys/key_range.ts";
import type { Inspection } from "../store/inspection.ts";
import type {
  ChangesPage,
  Language,
  LogAnswer,
  Moment,
  PastChange,
  ShownValue,
} from "./api.ts";
import { badRequest } from "./failures.ts";
import { MOST_ROWS } from "./reading.ts";
import type { Parameters } from "./requests.ts";
import { languageOf, previewOf, textOf } from "./shown_values.ts";

/** The default number of changes in a page. */
const CHANGES = 50;

/** The largest number of moments of the log in one answer. */
export const MOST_MOMENTS = 50;

/** The ends of the log. If it is empty, `oldest` is after `newest`. */
interface Ends {
  readonly oldest: number;
  readonly newest: number;
}

/** How often a read is retried because the log was pruned meanwhile. */
const MOST_TRIES = 8;

/**
 * Reads between the ends of the log. Others write, so its beginning moves. Each
 * retry leaves out more of the oldest changes, which will soon be gone.
 */
async function betweenEnds<T>(
  inspection: Inspection,
  signal: AbortSignal,
  read: (ends: Ends) => Promise<T>,
): Promise<T> {
  for (let tries = 0;; tries++) {
    const { oldest, newest } = await endsOf(inspection, signal);
    const left = Math.ceil((newest - oldest + 1) * tries / MOST_TRIES);
    try {
      return await read({ oldest: oldest + left, newest });
    } catch (error) {
      const isCut = error instanceof RevisionUnavailableError &&
        error.reason === "pruned";
      if (!isCut || tries === MOST_TRIES) throw error;
    }
  }
}

async function endsOf(
  { engine, read }: Inspection,
  signal: AbortSignal,
): Promise<Ends> {
  const action = "read the log";
  engine.assertWatchable(action);
  const newest = await read(action, () => engine.log.head(), signal);
  const oldest = await read(action, () => engine.log.oldest(), signal);
  return { oldest, newest };
}

/** The reach of the log, and the times of some of its revisions. */
export async function readLog(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<LogAnswer> {
  const wanted = parameters.integer("moments", 0, MOST_MOMENTS) ?? 0;
  return await betweenEnds(
    inspection,
    signal,
    (ends) => logOf(inspection, ends, wanted, signal),
  );
}

async function logOf(
  inspection: Inspection,
  { oldest, newest }: Ends,
  wanted: number,
  signal: AbortSignal,
): Promise<LogAnswer> {
  if (oldest > newest) return { first: newest, moments: [] };
  const revisions = new Set([oldest, newest]);
  for (let i = 1; i < wanted - 1; i++) {
    revisions.add(oldest + Math.round((newest - oldest) * i / (wanted - 1)));
  }
  const moments: Moment[] = [];
  for (const revision of [...revisions].sort((a, b) => a - b)) {
    moments.push(await momentOf(inspection, revision, signal));
  }
  return {
    first: oldest - 1,
    oldest: moments[0],
    newest: moments.at(-1)!,
    moments: wanted === 0 ? [] : moments,
  };
}

async function momentOf(
  { engine, read }: Inspection,
  revision: number,
  signal: AbortSignal,
): Promise<Moment> {
  const filter = { keys: ALL_KEYS, times: true };
  const page = await read<ChangePage>(
    "read the log",
    () => engine.log.readBack(filter, revision + 1, revision - 1, 1),
    signal,
  );
  const [change] = page.changes;
  const changedAt = change && "time" in change
    ? change.time?.toISOString()
    : undefined;
  return { revision, ...(changedAt === undefined ? {} : { changedAt }) };
}

/** A page of past changes. */
export async function readChanges(
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<ChangesPage> {
  const filter = { ...filterOf(parameters), previous: true, times: true };
  const limit = parameters.integer("limit", 1, MOST_ROWS) ?? CHANGES;
  const show = showingOf(inspection, parameters);
  const asked = parameters.integer("before", 0) ?? Infinity;
  const { log } = inspection.engine;
  return await betweenEnds(inspection, signal, async ({ oldest, newest }) => {
    const before = Math.min(asked, newest + 1);
    if (before <= oldest) return { changes: [] };
    const page = await inspection.read<ChangePage>(
      "read the log",
      () => log.readBack(filter, before, oldest - 1, limit),
      signal,
    );
    const changes = page.changes
      .filter((change): change is StoredChange => !("problem" in change))
      .map((change) => pastChangeOf(change, show));
    return page.cursor > oldest ? { changes, next: page.cursor } : { changes };
  });
}

function filterOf(parameters: Parameters) {
  const kind = parameters.text("kind");
  const key = parameters.text("key");
  const prefix = parameters.text("prefix");
  if (kind === undefined) {
    if (key === undefined && prefix === undefined) return { keys: ALL_KEYS };
    throw badRequest(`"key" and "prefix" need "kind"`, "kind");
  }
  const kinds = [parameters.name("kind")];
  if (key === undefined) return { kinds, keys: prefixRange(prefix ?? "") };
  if (prefix === undefined) {
    return { kinds, keys: singleKey(parameters.name("key")) };
  }
  throw badRequest(`"key" and "prefix" exclude each other`, "prefix");
}

/** Shows a value of a change. */
type Show = (change: StoredChange, value: Uint8Array) => ShownValue;

function showingOf({ values }: Inspection, parameters: Parameters): Show {
  const language: Language | undefined = parameters.language();
  const longest = parameters.integer("text", 1);
  return ({ kind, key }, value) => {
    const stored = { kind, key, value };
    return longest === undefined ? previewOf(values, stored) : textOf(
      values,
      stored,
      language ?? languageOf(values.codecOf(kind)),
      longest,
    );
  };
}

function pastChangeOf(change: StoredChange, show: Show): PastChange {
  const { type, value, previous, time } = change;
  return {
    ...commonOf(change),
    ...(time ? { changedAt: time.toISOString() } : {}),
    ...(type === "delete" ? {} : { after: show(change, value) }),
    ...(type === "delete" ? { before: show(change, value) } : {}),
    ...(previous ? { before: show(change, previous) } : {}),
  };
}

function commonOf(change: StoredChange) {
  const { revision, kind, key, type, version, value, expiresAt } = change;
  return {
    revision,
    kind,
    key,
    type,
    version,
    size: value.length,
    ...(change.isExpiry ? { expired: true as const } : {}),
    ...(expiresAt === undefined || type === "delete"
      ? {}
      : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
