/**
 * The API between the page in the browser and the server of the inspector, as
 * types. The page imports only types from this file.
 *
 * Every path is relative to the page's own URL, which ends with "/", because
 * the inspector may be mounted anywhere. Requests have the session's cookie. A
 * `GET` has its parameters in the query, and a `POST` has a JSON body
 * (`content-type: application/json`). Responses are JSON, and are never cached.
 * Every response that is not 2xx is a {@linkcode Failure}.
 *
 * | request                | parameters                 | answer                      |
 * | ---------------------- | -------------------------- | --------------------------- |
 * | `GET api/session`      |                            | {@linkcode Session}         |
 * | `GET api/kinds`        | {@linkcode AtQuery}        | {@linkcode KindsAnswer}     |
 * | `GET api/entries`      | {@linkcode EntriesQuery}   | {@linkcode EntriesPage}     |
 * | `GET api/count`        | {@linkcode CountQuery}     | {@linkcode CountAnswer}     |
 * | `GET api/entry`        | {@linkcode EntryQuery}     | {@linkcode EntryAnswer}     |
 * | `GET api/value`        | {@linkcode EntryQuery}     | the whole text, to download |
 * | `GET api/log`          | {@linkcode LogQuery}       | {@linkcode LogAnswer}       |
 * | `GET api/changes`      | {@linkcode ChangesQuery}   | {@linkcode ChangesPage}     |
 * | `GET api/info`         |                            | {@linkcode InfoAnswer}      |
 * | `POST api/verify`      | `{}`                       | {@linkcode VerifyAnswer}    |
 * | `POST api/set`         | {@linkcode SetRequest}     | {@linkcode WriteAnswer}     |
 * | `POST api/delete`      | {@linkcode DeleteRequest}  | {@linkcode WriteAnswer}     |
 * | `POST api/restore`     | {@linkcode RestoreRequest} | {@linkcode WriteAnswer}     |
 * | `GET api/events`       | {@linkcode EventsQuery}    | {@linkcode StreamEvents}    |
 *
 * Times are ISO strings, in UTC. Kinds and keys are any text without NUL. They
 * are shown as text, never as HTML.
 *
 * A page stays up to date as follows: it opens `api/events` first. After each
 * `start` that is not resumed, it reads everything that it shows. Each response
 * of `kinds` and `entries` has a `revision`: changes of the stream up to this
 * revision are in the response already.
 *
 * @module
 */
import type { Change } from "./api_live.ts";
import type { Language, ShownValue } from "./api_values.ts";

export type * from "./api_live.ts";
export type * from "./api_values.ts";

// The store.

/** `GET api/session`: the facts that the page needs first. */
export interface Session {
  /** The name for the title: a file's path, ":memory:", a URL without a password, "memory". */
  readonly location: string;
  /** The engine: `"sqlite"`, `"postgres"`, `"etcd"` or `"memory"`. */
  readonly engine: string;
  /** The schema of a store in PostgreSQL. */
  readonly schema?: string;
  /** Whether entries may be created, edited and deleted. */
  readonly canWrite: boolean;
  /** If not, the reason, and what to do. */
  readonly readOnlyReason?: string;
  /** The version of the package. */
  readonly version: string;
  /** The server's clock. */
  readonly now: string;
  readonly limits: {
    /** The largest number of entries or changes in a page. */
    readonly page: number;
    /** The longest body of a request, in bytes. */
    readonly body: number;
    /**
     * The longest text of a value in `api/entry`, in UTF-16 units, unless
     * another length is requested.
     */
    readonly text: number;
    /** The longest preview of a value in a table or the feed, in UTF-16 units. */
    readonly preview: number;
  };
}

/** The revision to read. Absent: the present. */
export interface AtQuery {
  /** A revision that the log reaches: from `LogAnswer.first` to `LogAnswer.newest.revision`. */
  readonly at?: number;
}

/** `GET api/kinds` */
export interface KindsAnswer {
  /** The counts are of this revision. */
  readonly revision: number;
  /** The kinds that have entries, in order. */
  readonly kinds: readonly KindCount[];
}

/**
 * The number of entries of a kind. A `create` of the stream adds one, and a
 * `delete` removes one. An expired entry is not counted from the moment of its
 * expiry, and its `delete` follows, so read the counts again now and then.
 */
export interface KindCount {
  readonly kind: string;
  readonly count: number;
  /** The name of the kind's codec. */
  readonly codec: string;
}

// Entries.

/** The range of entries. All conditions must hold. */
export interface RangeQuery extends AtQuery {
  readonly kind: string;
  /** Only keys that begin with this text. */
  readonly prefix?: string;
  /** The first key, inclusive. */
  readonly start?: string;
  /** The end of the keys, exclusive. */
  readonly end?: string;
}

/**
 * `GET api/entries`: a page. It is found by its first key, independent of the
 * number of entries before it.
 */
export interface EntriesQuery extends RangeQuery {
  /**
   * Only entries after this key, or before it with `reverse`. For the next
   * page, pass the last key of this one. For the previous page, pass its first
   * key, and the other order.
   */
  readonly past?: string;
  /** `1`: from the last key to the first. */
  readonly reverse?: 1;
  /** The largest number. A page may have fewer if the values are large. @default {100} */
  readonly limit?: number;
}

/** A page of entries. */
export interface EntriesPage {
  /**
   * The page has every change up to this revision, and maybe later ones. With
   * `at`, it is `at`.
   */
  readonly revision: number;
  /** In the order of reading. It may be empty although `hasMore` is true. */
  readonly entries: readonly EntryRow[];
  /** Whether there are more entries, in the order of reading. */
  readonly hasMore: boolean;
}

/** An entry, with only a part of its value. */
export interface EntryRow {
  readonly key: string;
  /** One line. */
  readonly preview: ShownValue;
  /** The number of stored bytes of the value. */
  readonly size: number;
  readonly version: number;
  readonly revision: number;
  readonly updatedAt: string;
  readonly expiresAt?: string;
}

/** `GET api/count`: the number of entries in a range. */
export type CountQuery = RangeQuery;

/** The count of a range. */
export interface CountAnswer {
  readonly count: number;
  /** Whether there are more, because it counts at most to 100 000. */
  readonly isMore: boolean;
}

/** `GET api/entry`, `GET api/value` */
export interface EntryQuery extends AtQuery {
  readonly kind: string;
  readonly key: string;
  /** The language of the text. @default {"json", or "yaml" for the codec "yaml"} */
  readonly language?: Language;
  /** The longest text, in UTF-16 units; `api/value` gives all of it. */
  readonly text?: number;
}

/** An entry. If there is none, the answer is a {@linkcode Failure} of code `"NOT_FOUND"`. */
export interface EntryAnswer {
  readonly kind: string;
  readonly key: string;
  readonly value: ShownValue;
  /** The number of stored bytes of the value. */
  readonly size: number;
  /** The name of the codec. */
  readonly codec: string;
  readonly version: number;
  readonly revision: number;
  readonly updatedAt: string;
  readonly expiresAt?: string;
  /**
   * Whether the text can be edited in this language: it is complete, and is
   * read back as the same value. It does not depend on whether the page may
   * write.
   */
  readonly canEdit: boolean;
  /** If not, the reason, and what to do, such as to use the other language. */
  readonly editReason?: string;
}

// The past.

/** `GET api/log` */
export interface LogQuery {
  /** How many moments of the log to return, at even distances, at most 50. @default {0} */
  readonly moments?: number;
}

/** The reach of the change log. */
export interface LogAnswer {
  /** The oldest revision for `at`: the state before the oldest change in the log. */
  readonly first: number;
  /** The oldest change in the log. Absent if there is none. */
  readonly oldest?: Moment;
  /** The newest change in the log. Absent if there is none. `at` can be up to its revision. */
  readonly newest?: Moment;
  /** In the order of their revisions, including `oldest` and `newest`. */
  readonly moments: readonly Moment[];
}

/** A revision, and the time of its change. */
export interface Moment {
  readonly revision: number;
  /** Absent if the log does not have the time. */
  readonly changedAt?: string;
}

/**
 * `GET api/changes`: past changes of all kinds, of a kind, or of a key, from
 * the newest to the oldest.
 */
export interface ChangesQuery {
  readonly kind?: string;
  /** Together with `kind`. */
  readonly key?: string;
  /** Together with `kind`. Not together with `key`. */
  readonly prefix?: string;
  /** Only changes before this revision: `next` of the previous page. */
  readonly before?: number;
  /** The largest number. A page may have fewer. @default {50} */
  readonly limit?: number;
  /** The language of the values. @default {as of EntryQuery} */
  readonly language?: Language;
  /** The longest text of a value, in UTF-16 units. @default {as `limits.preview`, in one line} */
  readonly text?: number;
}

/** A page of changes. */
export interface ChangesPage {
  readonly changes: readonly PastChange[];
  /** `before` of the next page; absent at the end of the log. */
  readonly next?: number;
}

/** A change of the past. */
export interface PastChange extends Change {
  /** Absent if the log does not have the time. */
  readonly changedAt?: string;
  /** The new value; absent for a deletion. */
  readonly after?: ShownValue;
  /** The value before; absent for a creation. */
  readonly before?: ShownValue;
}

// Health.

/** `GET api/info`. It counts everything, so do not call it every second. */
export interface InfoAnswer {
  /** The facts about the store, in the order of display. */
  readonly facts: readonly Fact[];
  /** Important notes for the user, for example about SQLite's version. */
  readonly notes: readonly Note[];
  /** The change log; absent if the store has none. */
  readonly log?: {
    readonly oldest: number;
    readonly newest: number;
    readonly count: number;
  };
  readonly kinds: readonly KindCount[];
}

/** A fact about a store. */
export interface Fact {
  /** A stable name, such as `"sqliteVersion"`, `"size"`, `"walSize"`. */
  readonly name: string;
  /** A title for people. */
  readonly title: string;
  readonly value: string | number | boolean;
  /** How to show a number. */
  readonly unit?: "bytes";
}

/** A sentence about the store. */
export interface Note {
  readonly level: "good" | "info" | "warning";
  readonly text: string;
}

/** `POST api/verify`. Its time grows with the size of the store. */
export interface VerifyAnswer {
  /** Empty if all is sound. */
  readonly findings: readonly Finding[];
  /** When it began. */
  readonly startedAt: string;
  /** How long it took, in ms. */
  readonly took: number;
}

/** A fault. */
export interface Finding {
  readonly part: "file" | "entries" | "log" | "triggers" | "foreign";
  readonly message: string;
  readonly kind?: string;
  readonly key?: string;
  readonly revision?: number;
}

// Writes. They are possible only if `Session.canWrite`.

/** `POST api/set`: creates or replaces an entry. */
export interface SetRequest {
  readonly kind: string;
  readonly key: string;
  /** The value. */
  readonly text: string;
  readonly language: Language;
  /** The revision of the entry that was edited; 0 to create one. */
  readonly ifRevision: number;
  /**
   * The expiry: unchanged, none, or this many ms from now. For a new entry,
   * `"keep"` means none.
   * @default {"keep"}
   */
  readonly expiry?: "keep" | "none" | number;
}

/** `POST api/delete` */
export interface DeleteRequest {
  readonly kind: string;
  readonly key: string;
  /** The revision of the entry. */
  readonly ifRevision: number;
}

/**
 * `POST api/restore`: writes a past value of an entry, without sending it to
 * the page. The entry then has no expiry.
 */
export interface RestoreRequest {
  readonly kind: string;
  readonly key: string;
  /**
   * The revision: that of the change that wrote the value, or any later one
   * while the entry had the value.
   */
  readonly at: number;
  /** The revision of the entry now; 0 if it does not exist. */
  readonly ifRevision: number;
}

/** The result of a write. */
export interface WriteAnswer {
  readonly status: "created" | "updated" | "unchanged" | "deleted";
  readonly revision: number;
  /** The entry's version now; 0 after a deletion. */
  readonly version: number;
}
