/**
 * The driver on `node:sqlite`, which is built into Deno, Node.js and Bun. It needs
 * no library, and the runtime's file permissions apply.
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
    this.#database = attempt(() =>
      location.memory === "shared" ? openShared(location) : openOwn(location)
    );
  }

  exec(sql: string): void {
    attempt(() => this.#database.exec(sql));
  }

  prepare(sql: string): Statement {
    const prepare = (sql: string): unknown =>
      attempt(() => this.#database.prepare(sql));
    return isDeno
      ? new BuiltinStatement(prepare(sql) as ArrayStatement)
      : prepareAnywhere(sql, prepare);
  }

  // `VACUUM INTO` would attach a file, which needs all permissions in Deno.
  get copyTo(): ((path: string) => Promise<void>) | undefined {
    return hasBackup ? (path) => this.#copyTo(path) : undefined;
  }

  async #copyTo(path: string): Promise<void> {
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

/** Whether the runtime has `backup`. Node.js has it since 22.16. */
const hasBackup = "backup" in sqlite;

/** More pages than any database has, so that one step copies all of them. */
const ALL_PAGES = 2 ** 30 - 1;

/** A statement of `node:sqlite` whose rows are arrays. Deno's types lack it. */
interface ArrayStatement {
  setReturnArrays(enabled: boolean): void;
  columns(): { readonly name: string }[];
  run(...params: Bindable[]): { readonly changes: number | bigint };
  get(...params: Bindable[]): SqlValue[] | undefined;
  all(...params: Bindable[]): SqlValue[][];
}

/**
 * Prepares a statement on Node.js or Bun. Before Node.js 22.16, rows are objects.
 * Before 22.21, numbered parameters do not work.
 */
function prepareAnywhere(
  sql: string,
  prepare: (sql: string) => unknown,
): Statement {
  const numbers = Array.from(
    sql.matchAll(/\?(\d+)/g),
    ([, number]) => Number(number),
  );
  const isNumbered = numbers.length > 0 && !numbersParameters(prepare);
  const prepared = prepare(isNumbered ? sql.replace(/\?\d+/g, "?") : sql);
  const statement = "setReturnArrays" in (prepared as object)
    ? new BuiltinStatement(prepared as ArrayStatement)
    : new ObjectStatement(prepared as OldStatement);
  return isNumbered ? new NumberedStatement(statement, numbers) : statement;
}

let areNumbered: boolean | undefined;

/** Whether the binding binds the parameter "?1" by its number. */
function numbersParameters(prepare: (sql: string) => unknown): boolean {
  if (areNumbered === undefined) {
    try {
      (prepare("SELECT ?1") as ArrayStatement).get(1n);
      areNumbered = true;
    } catch {
      areNumbered = false;
    }
  }
  return areNumbered;
}

/** A statement with "?" in place of numbered parameters. It binds a parameter at each of its places. */
class NumberedStatement implements Statement {
  readonly #statement: Statement;
  readonly #numbers: readonly number[];

  constructor(statement: Statement, numbers: readonly number[]) {
    this.#statement = statement;
    this.#numbers = numbers;
  }

  run(...params: SqlValue[]): number {
    return this.#statement.run(...this.#placed(params));
  }

  get(...params: SqlValue[]): Row | undefined {
    return this.#statement.get(...this.#placed(params));
  }

  all(...params: SqlValue[]): Row[] {
    return this.#statement.all(...this.#placed(params));
  }

  #placed(params: readonly SqlValue[]): SqlValue[] {
    return this.#numbers.map((number) => params[number - 1]);
  }
}

/** A statement whose rows are objects. */
interface OldStatement {
  run(...params: Bindable[]): { readonly changes: number | bigint };
  get(...params: Bindable[]): Row | undefined;
  all(...params: Bindable[]): Row[];
}

class ObjectStatement implements Statement {
  readonly #statement: OldStatement;

  constructor(statement: OldStatement) {
    this.#statement = statement;
  }

  run(...params: SqlValue[]): number {
    const bound = bindable(params);
    return attempt(() => Number(this.#statement.run(...bound).changes));
  }

  get(...params: SqlValue[]): Row | undefined {
    const bound = bindable(params);
    return attempt(() => this.#statement.get(...bound));
  }

  all(...params: SqlValue[]): Row[] {
    const bound = bindable(params);
    return attempt(() => this.#statement.all(...bound));
  }
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
    // The binding would store a JavaScript number as REAL.
    if (typeof value === "number") params[i] = BigInt(value);
  }
  return params as Bindable[];
}

function openOwn(location: DatabaseLocation): sqlite.DatabaseSync {
  // The binding has no option that prevents the creation of a file.
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
  // The integer is above 2^53 - 1. This package never writes such an integer.
  return hasCode(error, "ERR_OUT_OF_RANGE")
    ? new SqlError("corrupt", (error as Error).message, { cause: error })
    : error;
}

/** Whether SQLite or the runtime refused the call. Any other error is a bug. */
function isFailure(error: unknown): error is Error & { errcode?: number } {
  return (error as Partial<Error> | null)?.name === "NotCapable" ||
    hasCode(error, "ERR_SQLITE_ERROR", "ERR_ACCESS_DENIED");
}
