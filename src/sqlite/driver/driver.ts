/**
 * The driver port: the little of an SQLite binding that the store needs, so
 * that a binding is a page of code. A driver hides what its binding gets wrong;
 * everything above it may rely on this:
 *
 * - text, blobs, null and integers up to 2^53 - 1 come back as they went in;
 *   text that a binding would alter is refused with a `TypeError`;
 * - rows are fresh objects, blobs are the caller's own;
 * - every failure of SQLite is an {@linkcode SqlError}, and so is a blob whose
 *   length bindings cut to 32 bits.
 *
 * @module
 */

/** What can be bound and read. A number is a safe integer. */
export type SqlValue = string | number | Uint8Array | null;

/** A result row: values by column name. */
export type Row = Record<string, SqlValue>;

/** Which database to open. */
export interface DatabaseLocation {
  /** A file's path, or the name of a database in memory. */
  readonly path: string;
  /** Read only; read and write an existing file; or create it where missing. */
  readonly mode: "ro" | "rw" | "rwc";
  /**
   * Not in a file: in memory, for this connection alone or shared by name
   * within the process.
   */
  readonly memory?: "private" | "shared";
}

/** An SQLite binding. */
export interface Driver {
  /** What `store.driver` tells. */
  readonly name: string;
  /**
   * Names the SQLite library. Two libraries of one process never open the same
   * file: they do not see each other's locks.
   * @default {the driver's name}
   */
  readonly library?: string;
  /** Opens a connection; throws `SqlError`. */
  open(location: DatabaseLocation): Connection;
}

/** A connection. All of its calls are synchronous, none waits for a lock. */
export interface Connection {
  /** Runs statements that take no parameters and give no rows. */
  exec(sql: string): void;
  /** Prepares one statement. It lives as long as the connection. */
  prepare(sql: string): Statement;
  /**
   * Copies all that the open transaction reads into a file that is there, and
   * empty. To be left out where the binding has no way of its own: then
   * `VACUUM INTO` does it, outside a transaction.
   */
  copyTo?(path: string): Promise<void>;
  /** Closes the connection and its statements. */
  close(): void;
}

/** A prepared statement. Each call runs it to its end. */
export interface Statement {
  /** Runs it for its effect; gives how many rows it changed itself, not by triggers. */
  run(...params: SqlValue[]): number;
  /** The first row, if any. */
  get(...params: SqlValue[]): Row | undefined;
  /** Every row. */
  all(...params: SqlValue[]): Row[];
}

/** Why SQLite failed: its result codes, as far as a caller can do something about them. */
export type SqlFailure =
  | "busy"
  | "full"
  | "corrupt"
  | "not_a_database"
  | "read_only"
  | "cannot_open"
  | "too_big"
  | "io"
  | "other";

/** A failure of SQLite. */
export class SqlError extends Error {
  /** The class's name, also in minified code. */
  override readonly name = "SqlError";
  /** Why it failed. */
  readonly failure: SqlFailure;

  /** Makes the error. `options.cause` is what the binding raised. */
  constructor(failure: SqlFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }

  /**
   * Makes one of what a binding threw. Bindings give SQLite's result code on
   * some failures only, the message on all (https://sqlite.org/rescode.html).
   */
  static from(cause: unknown, code?: number): SqlError {
    if (cause instanceof SqlError) return cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    const failure = FAILURE_OF_CODE.get((code ?? 0) & 0xff) ??
      FAILURE_OF_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ??
      "other";
    return new SqlError(failure, message, { cause });
  }
}

const FAILURE_OF_CODE = new Map<number, SqlFailure>([
  [5, "busy"],
  [6, "busy"],
  [8, "read_only"],
  [10, "io"],
  [11, "corrupt"],
  [13, "full"],
  [14, "cannot_open"],
  [18, "too_big"],
  [26, "not_a_database"],
]);

const FAILURE_OF_MESSAGE: [RegExp, SqlFailure][] = [
  [/database (table |schema )?is locked/, "busy"],
  [/database or disk is full/, "full"],
  [/malformed/, "corrupt"],
  [/not a database/, "not_a_database"],
  [/readonly database/, "read_only"],
  [/unable to open database/, "cannot_open"],
  [/string or blob too big/, "too_big"],
  [/disk I\/O error/, "io"],
];

/** What SQLite counts a blob's bytes with. */
const LONGEST_BLOB = 2 ** 31 - 1;

/**
 * Throws a `TypeError` for what no binding keeps: both cut text at a NUL when
 * they read it back, and turn a lone surrogate into U+FFFD, where two keys
 * would collide.
 */
export function assertBindable(value: SqlValue): void {
  if (typeof value === "string") {
    if (value.includes("\0") || !value.isWellFormed()) {
      throw new TypeError(
        `Cannot bind text ${
          JSON.stringify(value)
        }: it holds a NUL or a lone surrogate`,
      );
    }
  } else if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new TypeError(`Cannot bind number ${value}: it is no safe integer`);
  } else if (value instanceof Uint8Array && value.byteLength > LONGEST_BLOB) {
    // Not `length`: V8's optimised code reads one past 2^31 as negative.
    throw new SqlError("too_big", "string or blob too big");
  }
}
