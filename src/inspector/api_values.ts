/**
 * The common part of the API's responses: values as text, and errors. The page
 * imports it from `api.ts`.
 *
 * @module
 */

/** A language for values. */
export type Language = "json" | "yaml";

/** A value, or the beginning of one. */
export type ShownValue =
  | {
    readonly state: "text";
    readonly language: Language;
    /** The text, or its beginning. */
    readonly text: string;
    /** The length of the whole text, in UTF-16 units. */
    readonly length: number;
    /** Whether `text` is incomplete. */
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
    /** The value is too large to decode for display; `api/value` downloads it. */
    readonly state: "large";
    readonly message: string;
  };

// Errors, as data.

/** Every response that is not 2xx. */
export interface Failure {
  readonly error: ApiError;
}

/** The failure of a request. */
export interface ApiError {
  /**
   * The code to branch on: that of a `StoreError`, such as
   * `"VERSION_CONFLICT"`, `"VALIDATION"`, `"REVISION_UNAVAILABLE"`,
   * `"UNAVAILABLE"` or `"CLOSED"`; or one of these:
   *
   * - `"NO_SESSION"`: there is no cookie of this inspector (401).
   * - `"FORBIDDEN"`: the request comes from a page of another site, or is for
   *   another host (403, 421).
   * - `"NOT_FOUND"`: there is no such path or entry (404).
   * - `"METHOD"`: the endpoint needs another method (405).
   * - `"TOO_LARGE"`: the body, the value or a name is too large (413).
   * - `"BAD_REQUEST"`: a parameter or the body is invalid (400).
   * - `"SYNTAX"`: the text of the value is invalid in its language (422).
   * - `"READ_ONLY"`: writing is not permitted (403).
   * - `"UNSUPPORTED"`: for example keeping the expiry if the schema is
   *   asynchronous (422, 501).
   * - `"INTERNAL"`: the inspector has a bug (500).
   */
  readonly code: string;
  /** A sentence for the user: what cannot be done, why, and what to do. */
  readonly message: string;
  /** For `"VALIDATION"`: all faults that the schema found. */
  readonly issues?: readonly ApiIssue[];
  /** For `"SYNTAX"`: the place in the text, if it is known. Both numbers begin at 1. */
  readonly place?: { readonly line: number; readonly column: number };
  /** For `"VERSION_CONFLICT"`: the revision of the entry, 0 if it does not exist. */
  readonly foundRevision?: number;
  /** For `"BAD_REQUEST"`: the name of the parameter, if it concerns one. */
  readonly parameter?: string;
}

/** A fault that a schema found in a value. */
export interface ApiIssue {
  readonly message: string;
  /** The place in the value, from the outside inwards; empty for the value itself. */
  readonly path: readonly (string | number)[];
}
