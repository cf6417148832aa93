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

/**
 * The event of a change; `undefined` if its value cannot be read, and that was
 * told. A previous value that cannot be read is told of, and left out.
 *
 * @param revision That of the change, as it is told.
 */
export function eventOf(
  change: ChangePage["changes"][number],
  { decode, onUnreadable }: ReadChange,
  revision: number = change.revision,
): MaybePromise<WatchEvent | undefined> {
  if ("problem" in change) {
    const fail = () => {
      throw problemOf(change, onUnreadable);
    };
    return readOrTell<WatchEvent>(fail, revision, onUnreadable);
  }
  const read = (bytes: Uint8Array) =>
    readOrTell(
      () => boxed(decode(change.kind, change.key, bytes)),
      revision,
      onUnreadable,
    );
  const withPrevious = (value: Box | undefined) => {
    if (!value) return undefined;
    if (!change.previous) return toEvent(change, value);
    const previous = read(change.previous);
    return isPromise(previous)
      ? previous.then((previous) => toEvent(change, value, previous))
      : toEvent(change, value, previous);
  };
  const value = read(change.value);
  return isPromise(value) ? value.then(withPrevious) : withPrevious(value);
}

/** A value that was read: it may be anything. */
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
