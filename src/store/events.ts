/**
 * Converts stored changes to events of watches and histories.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { CodecError } from "../contract/errors.ts";
import type { HistoryChange, WatchEvent } from "../contract/mod.ts";
import { cursorOf } from "../engine/cursor.ts";
import type {
  ChangePage,
  StoredChange,
  StoredEntry,
  StoredValue,
  UnreadableChange,
} from "../engine/entries.ts";
import type { Values } from "../values/values.ts";
import { type OnUnreadable, readOrTell } from "./unreadable.ts";

/** Options and functions for reading changes. */
export interface ReadChange {
  readonly values: Pick<Values, "isText" | "readStored">;
  readonly onUnreadable: OnUnreadable;
}

/**
 * The event of a change. It is `undefined` if its value cannot be read, and the
 * error was reported. If the previous value cannot be read, the error is
 * reported, and the event has no previous value.
 */
export function eventOf(
  change: ChangePage["changes"][number],
  { values, onUnreadable }: ReadChange,
): MaybePromise<WatchEvent | undefined> {
  const { revision } = change;
  if ("problem" in change) {
    const fail = () => {
      throw problemOf(change, onUnreadable);
    };
    return readOrTell<WatchEvent>(fail, revision, onUnreadable);
  }
  const read = (stored: StoredValue) =>
    readOrTell(
      () => boxed(values.readStored(change.kind, stored)),
      revision,
      onUnreadable,
    );
  const withPrevious = (value: Box | undefined) => {
    if (!value) return undefined;
    const bytes = change.previous;
    if (!bytes) return toEvent(change, value);
    const previous = read({ key: change.key, value: bytes });
    return isPromise(previous)
      ? previous.then((previous) => toEvent(change, value, previous))
      : toEvent(change, value, previous);
  };
  const value = read(change);
  return isPromise(value) ? value.then(withPrevious) : withPrevious(value);
}

/**
 * The event of a replayed entry; `undefined` as above. Its cursor names
 * revision 0, at which a watch begins again.
 *
 * @param mark The mark of revision 0.
 */
export function replayedEventOf(
  kind: string,
  entry: StoredEntry,
  mark: number,
  { values, onUnreadable }: ReadChange,
): MaybePromise<WatchEvent | undefined> {
  const { key, version, expiresAt } = entry;
  const type = "create";
  const told = {
    type,
    kind,
    key,
    version,
    revision: 0,
    mark,
    expiresAt,
  } as const;
  const read = () => boxed(values.readStored(kind, entry));
  const value = readOrTell(read, entry.revision, onUnreadable);
  const toReplayed = (value: Box | undefined) => value && toEvent(told, value);
  return isPromise(value) ? value.then(toReplayed) : toReplayed(value);
}

/** Holds a value that was read, which may be any value. */
export interface Box {
  readonly value: unknown;
}

/** The value in a box. */
export function boxed(value: MaybePromise<unknown>): MaybePromise<Box> {
  return isPromise(value) ? value.then((value) => ({ value })) : { value };
}

/** The event of a change, with the time of the change. */
export function historyChangeOf(
  change: ChangePage["changes"][number],
  read: ReadChange,
): MaybePromise<HistoryChange | undefined> {
  const event = eventOf(change, read);
  if ("problem" in change || !change.time) return event;
  const changedAt = change.time;
  const withTime = (event: WatchEvent | undefined) =>
    event && { ...event, changedAt };
  return isPromise(event) ? event.then(withTime) : withTime(event);
}

/** The error for a change that is invalid in the log. */
function problemOf(
  { revision, problem }: UnreadableChange,
  onUnreadable: OnUnreadable,
): Error {
  return onUnreadable
    ? new CodecError(
      `Cannot read the change of revision ${revision}: ${problem.message}`,
      { cause: problem, revision },
    )
    : problem;
}

/** The properties of an event, without its values. */
type Told =
  & Pick<
    StoredChange,
    "type" | "kind" | "key" | "version" | "revision" | "mark" | "expiresAt"
  >
  & Partial<Pick<StoredChange, "isExpiry">>;

function toEvent(
  change: Told,
  { value }: Box,
  previous?: Box,
): WatchEvent {
  const { type, kind, key, version, revision, mark, expiresAt } = change;
  const cursor = cursorOf(revision, mark);
  const event: Record<string, unknown> = {
    type,
    kind,
    key,
    value,
    version,
    revision,
    cursor,
  };
  if (previous) event.previous = previous.value;
  if (change.isExpiry) event.expired = true;
  if (expiresAt !== undefined && type !== "delete") {
    event.expiresAt = new Date(expiresAt);
  }
  return event as unknown as WatchEvent;
}
