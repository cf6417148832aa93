/**
 * The part of the API that each of its answers may have: values as text, and
 * errors. The page has it from `api.ts`.
 *
 * @module
 */

/** A language that values are shown and edited in. */
export type Language = "json" | "yaml";

/** A value, or the beginning of one. */
export type ShownValue =
  | {
    readonly state: "text";
    readonly language: Language;
    /** The text, or its beginning. */
    readonly text: string;
    /** How long the whole text is, in UTF-16 units. */
    readonly length: number;
    /** Whether `text` is not all of it. */
    readonly isCut: boolean;
  }
  | {
    /** The codec cannot decode the value. */
    readonly state: "unreadable";
    readonly message: string;
    /** The first stored bytes, in hexadecimal, two digits for each. */
    readonly bytes: string;
    /** Whether there are more bytes. */
    readonly isCut: boolean;
  }
  | {
    /** It is too large to be decoded to be shown here; `api/value` downloads it. */
    readonly state: "large";
    readonly message: string;
  };

// Errors, as data.

/** Every answer that is not 2xx. */
export interface Failure {
  readonly error: ApiError;
}

/** Why a request failed. */
export interface ApiError {
  /**
   * What to branch on: a code of a `StoreError`, such as `"VERSION_CONFLICT"`,
   * `"VALIDATION"`, `"REVISION_UNAVAILABLE"`, `"UNAVAILABLE"` or `"CLOSED"`; or
   * one of these.
   *
   * - `"NO_SESSION"`: there is no cookie, or it is not of this inspector (401).
   * - `"FORBIDDEN"`: the request is of another site's page, or for another host (403, 421).
   * - `"NOT_FOUND"`: there is no such path, or no such entry (404).
   * - `"METHOD"`: another method is wanted (405).
   * - `"TOO_LARGE"`: the body, the value or a name is too large (413).
   * - `"BAD_REQUEST"`: a parameter or the body makes no sense (400).
   * - `"SYNTAX"`: the text of the value is not of its language (422).
   * - `"READ_ONLY"`: nothing may be written (403).
   * - `"UNSUPPORTED"`: such as keeping the expiry if the schema is asynchronous (422, 501).
   * - `"INTERNAL"`: the inspector has a mistake (500).
   */
  readonly code: string;
  /** A sentence for the user: what cannot be done, why, and what to do. */
  readonly message: string;
  /** Of a `"VALIDATION"`: all that the schema found wrong. */
  readonly issues?: readonly ApiIssue[];
  /** Of a `"SYNTAX"`: the place in the text, if it is known; both begin at 1. */
  readonly place?: { readonly line: number; readonly column: number };
  /** Of a `"VERSION_CONFLICT"`: the revision that was found, 0 if there is no entry. */
  readonly foundRevision?: number;
  /** Of a `"BAD_REQUEST"`: the parameter, if it is about one. */
  readonly parameter?: string;
}

/** One thing that a schema found wrong with a value. */
export interface ApiIssue {
  readonly message: string;
  /** Where in the value, from the outside inwards; empty for the value itself. */
  readonly path: readonly (string | number)[];
}
