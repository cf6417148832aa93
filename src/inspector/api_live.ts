/**
 * The part of the API for live changes, by Server-Sent Events. The page imports
 * it from `api.ts`.
 *
 * @module
 */
import type { ShownValue } from "./api_values.ts";

/** The properties of each change. */
export interface Change {
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  readonly type: "create" | "update" | "delete";
  /** For a deletion: whether the entry had expired. */
  readonly expired?: true;
  /** The version after the change. For a deletion, the last version. */
  readonly version: number;
  /** The number of stored bytes of `value`. */
  readonly size: number;
  readonly expiresAt?: string;
}
/**
 * `GET api/events`. A browser that reconnects sends `Last-Event-ID`, which has
 * precedence over `after`.
 */
export interface EventsQuery {
  /** The id of the last event that was seen. */
  readonly after?: string;
}

/**
 * The events by name, with their data as JSON. The id of an event is the place
 * to continue after it. Comments keep the connection alive.
 */
export interface StreamEvents {
  /** The first event. It also comes whenever the stream begins again by itself. */
  readonly start: StartEvent;
  /** Changes, in order. Since `start`, no change is missing or comes twice. */
  readonly changes: ChangesEvent;
  /** The store cannot be reached. The stream continues by itself when it can. */
  readonly down: { readonly message: string };
  /** The store can be reached again. No change was missed, unless a `start` says so. */
  readonly up: Record<string, never>;
  /** The stream is over, because the store is closed, or the server ends. Do not reconnect. */
  readonly end: { readonly message: string };
}

/** The stream begins. */
export interface StartEvent {
  /** Every change after this revision follows. */
  readonly revision: number;
  /** Whether it continues where the browser was. If not, the page must read everything again. */
  readonly isResumed: boolean;
  /** Why it could not continue, if the browser asked for it. */
  readonly message?: string;
}

/** Some changes. */
export interface ChangesEvent {
  readonly changes: readonly LiveChange[];
}

/** A change as it happens. */
export interface LiveChange extends Change {
  /** The new value, on one line. For a deletion, the last value. */
  readonly preview: ShownValue;
  /** When the server saw it. */
  readonly seenAt: string;
}
