/**
 * Changes as a watch and a history tell them.
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
  UnreadableChange,
} from "../engine/entries.ts";
import { type OnUnreadable, readOrTell } from "./unreadable.ts";

/** Decodes a value, or promises to; throws `CodecError`. */
export type DecodeValue = (
  kind: string,
  key: string,
  bytes: Uint8Array,
) => MaybePromise<unknown>;

/** What is read of changes. */
export interface ReadChange {
  readonly decode: DecodeValue;
  readonly onUnreadable: OnUnreadable;
}

/** The event of a change; `undefined` if it cannot be read, and that was told. */
export function eventOf(
  change: ChangePage["changes"][number],
  { decode, onUnreadable }: ReadChange,
): MaybePromise<WatchEvent | undefined> {
  return readOrTell(
    () => {
      if ("problem" in change) throw problemOf(change, onUnreadable);
      return toEvent(change, decode);
    },
    change.revision,
    onUnreadable,
  );
}

/** The same with the time of the change. */
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

/** What is thrown for a change that the log does not hold as it should. */
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

function toEvent(
  change: StoredChange,
  decode: DecodeValue,
): MaybePromise<WatchEvent> {
  const { kind, key } = change;
  const value = decode(kind, key, change.value);
  const previous = change.previous && decode(kind, key, change.previous);
  if (!isPromise(value) && !isPromise(previous)) {
    return toEventOf(change, value, previous);
  }
  return Promise.all([value, previous]).then(([value, previous]) =>
    toEventOf(change, value, previous)
  );
}

function toEventOf(
  change: StoredChange,
  value: unknown,
  previous: unknown,
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
  if (change.previous) event.previous = previous;
  if (change.isExpiry) event.expired = true;
  if (expiresAt !== undefined && type !== "delete") {
    event.expiresAt = new Date(expiresAt);
  }
  return event as unknown as WatchEvent;
}
