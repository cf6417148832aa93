/**
 * What the page in the browser and the server of the inspector say to each
 * other, as types. The page imports this file for its types only.
 *
 * Every path is relative to the page's own URL, which ends with "/": the
 * inspector may be mounted anywhere. Requests carry the session's cookie. A
 * `GET` has its parameters in the query, a `POST` a JSON body (`content-type:
 * application/json`). Answers are JSON, never cached. Every answer that is not
 * 2xx is a {@linkcode Failure}.
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
 * How a page stays up to date: it opens `api/events` first. After each `start`
 * that is not resumed, it reads what it shows anew. Each answer of `kinds` and
 * `entries` tells the `revision` that it is at least of; a change of the stream
 * with a revision that is not higher is in the answer already.
 *
 * @module
 */
import type { Change } from "./api_live.ts";
import type { Language, ShownValue } from "./api_values.ts";

export type * from "./api_live.ts";
export type * from "./api_values.ts";

// The store.

/** `GET api/session`: what the page has to know before anything else. */
export interface Session {
  /** The name to show in the title: a file's path, ":memory:", a URL without a password, "memory". */
  readonly location: string;
  /** What keeps the store: `"sqlite"`, `"postgres"`, `"etcd"` or `"memory"`. */
  readonly engine: string;
  /** The schema, of a store in PostgreSQL. */
  readonly schema?: string;
  /** Whether entries may be created, edited and deleted. */
  readonly canWrite: boolean;
  /** If not, why not, and what to do. */
  readonly readOnlyReason?: string;
  /** The version of the package. */
  readonly version: string;
  /** The server's clock. */
  readonly now: string;
  readonly limits: {
    /** The most entries, or changes, in a page. */
    readonly page: number;
    /** The longest body of a request, in bytes. */
    readonly body: number;
    /** The longest text of a value in `api/entry`, in UTF-16 units, if no other is asked for. */
    readonly text: number;
    /** The longest preview of a value in a table or the feed, in UTF-16 units. */
    readonly preview: number;
  };
}

/** As of which revision to read; absent for now. */
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
 * How many entries a kind has. A `create` of the stream adds one, a `delete`
 * takes one away. An entry that expires is left out of a count at once, and its
 * `delete` follows, so read the counts again now and then.
 */
export interface KindCount {
  readonly kind: string;
  readonly count: number;
  /** The name of its codec. */
  readonly codec: string;
}

// Entries.

/** Which entries. All conditions must hold. */
export interface RangeQuery extends AtQuery {
  readonly kind: string;
  /** Only keys that begin with this. */
  readonly prefix?: string;
  /** The first key, inclusive. */
  readonly start?: string;
  /** The end of the keys, exclusive. */
  readonly end?: string;
}

/** `GET api/entries`: a page, found by its first key, however many entries are before it. */
export interface EntriesQuery extends RangeQuery {
  /**
   * Only entries past this key, in the order of reading: after it, or before it
   * with `reverse`. The next page has the last key of this one; the page before
   * has its first key, and the other order.
   */
  readonly past?: string;
  /** `1`: from the last key to the first. */
  readonly reverse?: 1;
  /** At most so many; a page may have fewer if the values are large. @default {100} */
  readonly limit?: number;
}

/** A page of entries. */
export interface EntriesPage {
  /**
   * The page holds every change up to this revision, and maybe later ones; with
   * `at`, that.
   */
  readonly revision: number;
  /** In the order of reading. It may be empty and yet `hasMore`. */
  readonly entries: readonly EntryRow[];
  /** Whether there are entries past these, in the order of reading. */
  readonly hasMore: boolean;
}

/** An entry, without all of its value. */
export interface EntryRow {
  readonly key: string;
  /** One line. */
  readonly preview: ShownValue;
  /** The stored bytes of the value. */
  readonly size: number;
  readonly version: number;
  readonly revision: number;
  readonly updatedAt: string;
  readonly expiresAt?: string;
}

/** `GET api/count`: how many entries a range has. */
export type CountQuery = RangeQuery;

/** The count of a range. */
export interface CountAnswer {
  readonly count: number;
  /** Whether there are more: it counts no further than 100 000. */
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
  /** The stored bytes of the value. */
  readonly size: number;
  /** The name of the codec. */
  readonly codec: string;
  readonly version: number;
  readonly revision: number;
  readonly updatedAt: string;
  readonly expiresAt?: string;
  /**
   * Whether the text, in this language, can be edited: read again, it is the
   * same value, and all of it is here. It does not tell whether the page may write.
   */
  readonly canEdit: boolean;
  /** If not, why not, and what to do, such as to use the other language. */
  readonly editReason?: string;
}

// The past.

/** `GET api/log` */
export interface LogQuery {
  /** So many moments of the log, at even distances, at most 50. @default {0} */
  readonly moments?: number;
}

/** How far the change log reaches. */
export interface LogAnswer {
  /** The oldest revision to read `at`: the state before the oldest change that is kept. */
  readonly first: number;
  /** The oldest change that is kept; absent if there is none. */
  readonly oldest?: Moment;
  /** The newest change that is kept; absent if there is none. Read `at` up to its revision. */
  readonly newest?: Moment;
  /** In the order of their revisions; with `oldest` and `newest`. */
  readonly moments: readonly Moment[];
}

/** When a revision came to be. */
export interface Moment {
  readonly revision: number;
  /** Absent if it was not noted. */
  readonly changedAt?: string;
}

/**
 * `GET api/changes`: past changes, from the newest to the oldest: of all kinds,
 * of a kind, or of a key.
 */
export interface ChangesQuery {
  readonly kind?: string;
  /** Together with `kind`. */
  readonly key?: string;
  /** Together with `kind`. Not together with `key`. */
  readonly prefix?: string;
  /** Only changes before this revision: `next` of the page before. */
  readonly before?: number;
  /** At most so many; a page may have fewer. @default {50} */
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
  /** Absent if it was not noted. */
  readonly changedAt?: string;
  /** The new value; absent for a deletion. */
  readonly after?: ShownValue;
  /** The value before; absent for a creation. */
  readonly before?: ShownValue;
}

// Health.

/** `GET api/info`. It counts everything, so do not ask every second. */
export interface InfoAnswer {
  /** What the store tells, in an order to show it in. */
  readonly facts: readonly Fact[];
  /** What the user should know, such as what is known of SQLite's version. */
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

/** `POST api/verify`. It takes time in proportion to what is stored. */
export interface VerifyAnswer {
  /** Nothing, if all is sound. */
  readonly findings: readonly Finding[];
  /** When it began. */
  readonly startedAt: string;
  /** How long it took, in ms. */
  readonly took: number;
}

/** Something that is wrong. */
export interface Finding {
  readonly part: "file" | "entries" | "log" | "triggers" | "foreign";
  readonly message: string;
  readonly kind?: string;
  readonly key?: string;
  readonly revision?: number;
}

// Writes, only if `Session.canWrite`.

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
   * What becomes of the expiry: as it is, none, or so many ms from now. A new
   * entry that keeps it has none.
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
 * `POST api/restore`: writes the value that an entry had, which does not pass
 * through the page. It has no expiry then.
 */
export interface RestoreRequest {
  readonly kind: string;
  readonly key: string;
  /** As of which revision: that of a change that wrote the value, or any past it while it was there. */
  readonly at: number;
  /** The revision of the entry now; 0 if there is none. */
  readonly ifRevision: number;
}

/** What a write did. */
export interface WriteAnswer {
  readonly status: "created" | "updated" | "unchanged" | "deleted";
  readonly revision: number;
  /** The entry's version now; 0 after a deletion. */
  readonly version: number;
}
