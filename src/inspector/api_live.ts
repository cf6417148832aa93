/**
 * The part of the API that tells of live changes, by Server-Sent Events. The
 * page has it from `api.ts`.
 *
 * @module
 */
import type { ShownValue } from "./api_values.ts";

/** What is told of each change. */
export interface Change {
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  readonly type: "create" | "update" | "delete";
  /** Of a deletion: whether the entry had expired. */
  readonly expired?: true;
  /** After the change; of a deletion the last one. */
  readonly version: number;
  /** The stored bytes of `value`. */
  readonly size: number;
  readonly expiresAt?: string;
}
/**
 * `GET api/events`. A browser that reconnects sends `Last-Event-ID`, which goes
 * before `after`.
 */
export interface EventsQuery {
  /** The id of the last event that was seen. */
  readonly after?: string;
}

/**
 * The events by their names, and what their data is, as JSON. The id of an event
 * is where to go on after it. Comments keep the connection alive.
 */
export interface StreamEvents {
  /** The first event, and one whenever the stream begins anew by itself. */
  readonly start: StartEvent;
  /** Changes, in order, none missing and none twice since `start`. */
  readonly changes: ChangesEvent;
  /** The store cannot be reached. The stream goes on by itself when it can. */
  readonly down: { readonly message: string };
  /** The store can be reached again. No change was missed, unless a `start` says so. */
  readonly up: Record<string, never>;
  /** It is over: the store is closed, or the server ends. Do not reconnect. */
  readonly end: { readonly message: string };
}

/** The stream begins. */
export interface StartEvent {
  /** Every change past this revision follows. */
  readonly revision: number;
  /** Whether it goes on where the browser was. If not, the page has to read all anew. */
  readonly isResumed: boolean;
  /** Why it could not go on, if the browser asked for it. */
  readonly message?: string;
}

/** Some changes. */
export interface ChangesEvent {
  readonly changes: readonly LiveChange[];
}

/** A change as it happens. */
export interface LiveChange extends Change {
  /** The new value, in one line; of a deletion the last one. */
  readonly preview: ShownValue;
  /** When the server saw it. */
  readonly seenAt: string;
}
