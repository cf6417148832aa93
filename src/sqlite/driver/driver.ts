/**
 * The driver port: the few calls of an SQLite binding that the store needs.
 * A driver hides the faults of its binding. The code above it relies on this:
 *
 * - Text, blobs, null and integers up to 2^53 - 1 are read as they were
 *   written. The driver refuses text that its binding would alter with
 *   a `TypeError`.
 * - Each row is a new object, and its blobs belong to the caller.
 * - Each failure of SQLite is an {@linkcode SqlError}, and so is a blob that is
 *   too long for a binding, which would cut its length to 32 bits.
 *
 * @module
 */

/** A value to bind, or one that was read. A number is a safe integer. */
export type SqlValue = string | number | Uint8Array | null;

/** A row of a result: values by column name. */
export type Row = Record<string, SqlValue>;

/** The database to open. */
export interface DatabaseLocation {
  /** A file's path, or the name of a database in memory. */
  readonly path: string;
  /**
   * `"ro"`: only to read. `"rw"`: to read and write a file that exists. `"rwc"`:
   * the same, and create the file if it is missing.
   */
  readonly mode: "ro" | "rw" | "rwc";
  /**
   * The database is in memory, not in a file: for this connection alone, or
   * shared by its name within the process.
   */
  readonly memory?: "private" | "shared";
}

/** An SQLite binding. */
export interface Driver {
  /** The value of `store.driver`. */
  readonly name: string;
  /**
   * The name of the SQLite library. The store refuses to open a file with two
   * libraries in one process, because they do not see each other's locks.
   * @default {the driver's name}
   */
  readonly library?: string;
  /**
   * Opens a connection.
   *
   * @throws {SqlError} If SQLite cannot open the database.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { builtinDriver, type Driver } from "@zestor/store/driver";
   * import { assertEquals } from "@std/assert";
   *
   * let connections = 0;
   * const counting: Driver = {
   *   name: "counting",
   *   library: builtinDriver.name,
   *   open(location) {
   *     connections++;
   *     return builtinDriver.open(location);
   *   },
   * };
   *
   * await using store = await openStore({ path: ":memory:", driver: counting });
   * assertEquals([store.driver, connections], ["counting", 1]);
   * ```
   */
  open(location: DatabaseLocation): Connection;
}

/** A connection. Its calls are synchronous, except `copyTo`, and never wait for a lock. */
export interface Connection {
  /**
   * Runs statements without parameters, and ignores their rows.
   *
   * @example
   * ```ts
   * import { builtinDriver } from "@zestor/store/driver";
   * import { assertEquals } from "@std/assert";
   *
   * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
   * db.exec("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)");
   * assertEquals(db.prepare("SELECT n FROM t").get(), { n: 7 });
   * db.close();
   * ```
   */
  exec(sql: string): void;
  /**
   * Prepares one statement, which can be run until the connection is closed.
   *
   * @example
   * ```ts
   * import { builtinDriver } from "@zestor/store/driver";
   * import { assertEquals } from "@std/assert";
   *
   * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
   * const sum = db.prepare("SELECT ? + ? AS sum");
   * assertEquals(sum.get(1, 2), { sum: 3 });
   * assertEquals(sum.get(3, 4), { sum: 7 });
   * db.close();
   * ```
   */
  prepare(sql: string): Statement;
  /**
   * Copies the database, as the open transaction sees it, into an existing empty
   * file. Leave it out if the binding has no function for it: then the store uses
   * `VACUUM INTO`, outside a transaction.
   *
   * @example
   * ```ts
   * import { builtinDriver } from "@zestor/store/driver";
   * import { assert } from "@std/assert";
   *
   * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
   * db.exec("CREATE TABLE t (n INTEGER)");
   * const file = await Deno.makeTempFile();
   * await db.copyTo?.(file);
   * db.close();
   *
   * assert((await Deno.stat(file)).size > 0);
   * await Deno.remove(file);
   * ```
   */
  copyTo?(path: string): Promise<void>;
  /**
   * Closes the connection and its statements.
   *
   * @example
   * ```ts
   * import { builtinDriver } from "@zestor/store/driver";
   * import { assertThrows } from "@std/assert";
   *
   * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
   * const statement = db.prepare("SELECT 1");
   * db.close();
   * assertThrows(() => statement.get());
   * ```
   */
  close(): void;
}

/** A prepared statement. Each call runs it to its end. */
export interface Statement {
  /**
   * Runs the statement for its effect.
   *
   * @returns The number of rows that it changed, without those that triggers
   * changed.
   *
   * @example
   * ```ts
   * import { builtinDriver } from "@zestor/store/driver";
   * import { assertEquals } from "@std/assert";
   *
   * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
   * db.exec("CREATE TABLE t (n INTEGER)");
   * const changed = db.prepare("INSERT INTO t VALUES (?), (?)").run(1, 2);
   * assertEquals(changed, 2);
   * db.close();
   * ```
   */
  run(...params: SqlValue[]): number;
  /**
   * The first row, if there is one.
   *
   * @example
   * ```ts
   * import { builtinDriver } from "@zestor/store/driver";
   * import { assertEquals } from "@std/assert";
   *
   * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
   * assertEquals(db.prepare("SELECT 1 AS n WHERE ?").get(0), undefined);
   * db.close();
   * ```
   */
  get(...params: SqlValue[]): Row | undefined;
  /**
   * All rows.
   *
   * @example
   * ```ts
   * import { builtinDriver } from "@zestor/store/driver";
   * import { assertEquals } from "@std/assert";
   *
   * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
   * const rows = db.prepare("VALUES (1), (2)").all();
   * assertEquals(rows, [{ column1: 1 }, { column1: 2 }]);
   * db.close();
   * ```
   */
  all(...params: SqlValue[]): Row[];
}

/** The cause of a failure of SQLite: the result codes on which a caller can act, and `"other"`. */
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

/**
 * A failure of SQLite.
 *
 * @example
 * ```ts
 * import { builtinDriver, SqlError } from "@zestor/store/driver";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const db = builtinDriver.open({ path: "x", mode: "rwc", memory: "private" });
 * const error = assertThrows(() => db.exec("CREATE"), SqlError);
 * assertEquals(error.failure, "other");
 * db.close();
 * ```
 */
export class SqlError extends Error {
  /** The class's name, also in minified code. */
  override readonly name = "SqlError";
  /** Why it failed. */
  readonly failure: SqlFailure;

  /** Makes the error. `options.cause` is the error of the binding. */
  constructor(failure: SqlFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }

  /**
   * Makes an error from the value that a binding threw. Bindings give SQLite's
   * result code (https://sqlite.org/rescode.html) with some failures only, and the
   * message with all.
   *
   * @example
   * ```ts
   * import { SqlError } from "@zestor/store/driver";
   * import { assertEquals } from "@std/assert";
   *
   * const error = SqlError.from(new Error("database is locked"));
   * assertEquals(error.failure, "busy");
   * ```
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

/** SQLite counts the bytes of a blob in a signed 32-bit integer. */
const LONGEST_BLOB = 2 ** 31 - 1;

/**
 * Throws if a binding would not keep a value. Bindings cut text at a NUL when
 * they read it, and replace a lone surrogate by U+FFFD, so that two keys would
 * collide.
 *
 * @throws {TypeError} If text has a NUL or a lone surrogate, or a number is not
 * a safe integer.
 * @throws {SqlError} If a blob has 2^31 bytes or more.
 *
 * @example
 * ```ts
 * import { assertBindable } from "@zestor/store/driver";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => assertBindable("a\0b"), TypeError);
 * ```
 */
export function assertBindable(value: SqlValue): void {
  if (typeof value === "string") {
    if (value.includes("\0") || !value.isWellFormed()) {
      throw new TypeError(
        `Cannot bind text ${
          JSON.stringify(value)
        }: it contains a NUL or a lone surrogate`,
      );
    }
  } else if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new TypeError(
      `Cannot bind number ${value}: it is not a safe integer`,
    );
  } else if (value instanceof Uint8Array && value.byteLength > LONGEST_BLOB) {
    // Not `length`: V8's optimised code reads a length of 2^31 or more as
    // negative.
    throw new SqlError("too_big", "string or blob too big");
  }
}
