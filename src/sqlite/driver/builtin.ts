/**
 * The driver on `node:sqlite`, which is built into Deno, Node.js and Bun: nothing
 * to load, and the runtime's file permissions hold.
 *
 * @module
 */
import { hasCode, isDeno, platform } from "../../base/platform.ts";
import * as sqlite from "node:sqlite";
import {
  assertBindable,
  type Connection,
  type DatabaseLocation,
  type Driver,
  type Row,
  SqlError,
  type SqlValue,
  type Statement,
} from "./driver.ts";
import { filename } from "./filename.ts";

/** The driver on `node:sqlite`. */
export const builtinDriver: Driver = {
  name: "builtin",
  open: (location) => new BuiltinConnection(location),
};

class BuiltinConnection implements Connection {
  readonly #database: sqlite.DatabaseSync;

  constructor(location: DatabaseLocation) {
    if (!isDeno) assertRecent();
    this.#database = attempt(() =>
      location.memory === "shared" ? openShared(location) : openOwn(location)
    );
  }

  exec(sql: string): void {
    attempt(() => this.#database.exec(sql));
  }

  prepare(sql: string): Statement {
    const statement: unknown = attempt(() => this.#database.prepare(sql));
    return new BuiltinStatement(statement as ArrayStatement);
  }

  // `VACUUM INTO` attaches a file, for which Deno needs every permission.
  async copyTo(path: string): Promise<void> {
    try {
      await sqlite.backup(this.#database, path, { rate: ALL_PAGES });
    } catch (error) {
      throw toSqlError(error);
    }
  }

  close(): void {
    attempt(() => this.#database.close());
  }
}

/** More pages than any database has, so that all are copied in one step. */
const ALL_PAGES = 2 ** 30 - 1;

/** A statement of `node:sqlite` whose rows are arrays, which Deno's types do not know. */
interface ArrayStatement {
  setReturnArrays(enabled: boolean): void;
  columns(): { readonly name: string }[];
  run(...params: Bindable[]): { readonly changes: number | bigint };
  get(...params: Bindable[]): SqlValue[] | undefined;
  all(...params: Bindable[]): SqlValue[][];
}

class BuiltinStatement implements Statement {
  readonly #statement: ArrayStatement;
  readonly #columns: readonly string[];

  constructor(statement: ArrayStatement) {
    this.#statement = statement;
    // The binding's own row objects are slow to create, and slower to read.
    statement.setReturnArrays(true);
    this.#columns = statement.columns().map(({ name }) => name);
  }

  run(...params: SqlValue[]): number {
    const bound = bindable(params);
    try {
      return Number(this.#statement.run(...bound).changes);
    } catch (error) {
      throw toSqlError(error);
    }
  }

  get(...params: SqlValue[]): Row | undefined {
    const bound = bindable(params);
    try {
      const values = this.#statement.get(...bound);
      return values && this.#toRow(values);
    } catch (error) {
      throw toSqlError(error);
    }
  }

  all(...params: SqlValue[]): Row[] {
    const bound = bindable(params);
    try {
      return this.#statement.all(...bound).map((values) => this.#toRow(values));
    } catch (error) {
      throw toSqlError(error);
    }
  }

  #toRow(values: readonly SqlValue[]): Row {
    const row: Row = {};
    for (let i = 0; i < values.length; i++) row[this.#columns[i]] = values[i];
    return row;
  }
}

type Bindable = string | bigint | Uint8Array | null;

/** The parameters, in the same array. */
function bindable(params: (SqlValue | bigint)[]): Bindable[] {
  for (let i = 0; i < params.length; i++) {
    const value = params[i] as SqlValue;
    assertBindable(value);
    // The binding would store a number as REAL.
    if (typeof value === "number") params[i] = BigInt(value);
  }
  return params as Bindable[];
}

let isRecent = false;

/** Throws if the binding is too old to bind the parameter "?1" by its number. */
function assertRecent(): void {
  if (isRecent) return;
  try {
    const database = new sqlite.DatabaseSync(":memory:");
    database.prepare("SELECT ?1").get(1);
    database.close();
    isRecent = true;
  } catch (cause) {
    throw new SqlError(
      "other",
      `node:sqlite of this ${platform.name} cannot number the parameters of a statement; use Node.js 24.10 or later, or 22.21 or a later 22, or Bun 1.4 or later`,
      { cause },
    );
  }
}

function openOwn(location: DatabaseLocation): sqlite.DatabaseSync {
  // The binding has no option for "do not create".
  if (location.mode === "rw" && !location.memory) assertFile(location.path);
  return new sqlite.DatabaseSync(filename(location), {
    readOnly: location.mode === "ro",
  });
}

function openShared(location: DatabaseLocation): sqlite.DatabaseSync {
  try {
    return new sqlite.DatabaseSync(filename(location));
  } catch (cause) {
    // Without every permission, Deno uses the URI as a file's path.
    throw new SqlError(
      "other",
      "node:sqlite can share a database in memory only with --allow-all",
      { cause },
    );
  }
}

function assertFile(path: string): void {
  try {
    platform.statSync(path);
  } catch (cause) {
    throw new SqlError("cannot_open", (cause as Error).message, { cause });
  }
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toSqlError(error);
  }
}

function toSqlError(error: unknown): unknown {
  if (isFailure(error)) return SqlError.from(error, error.errcode);
  // An integer beyond 2^53 - 1, which this package never writes.
  return hasCode(error, "ERR_OUT_OF_RANGE")
    ? new SqlError("corrupt", (error as Error).message, { cause: error })
    : error;
}

/** Whether SQLite, or the runtime on its behalf, refused. Anything else is a mistake. */
function isFailure(error: unknown): error is Error & { errcode?: number } {
  return (error as Partial<Error> | null)?.name === "NotCapable" ||
    hasCode(error, "ERR_SQLITE_ERROR", "ERR_ACCESS_DENIED");
}
