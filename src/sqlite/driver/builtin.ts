/**
 * The driver on `node:sqlite`, which is built into Deno: nothing to load, and
 * Deno's file permissions hold.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import {
  assertBindable,
  type Connection,
  type Driver,
  filename,
  type Location,
  type Row,
  SqlError,
  type SqlValue,
  type Statement,
} from "./driver.ts";

/** The driver on `node:sqlite`. */
export const builtinDriver: Driver = {
  name: "builtin",
  open: (location) => new BuiltinConnection(location),
};

class BuiltinConnection implements Connection {
  readonly #database: DatabaseSync;

  constructor(location: Location) {
    this.#database = attempt(() =>
      location.memory === "shared" ? openShared(location) : openOwn(location)
    );
  }

  exec(sql: string): void {
    attempt(() => this.#database.exec(sql));
  }

  prepare(sql: string): Statement {
    return new BuiltinStatement(attempt(() => this.#database.prepare(sql)));
  }

  close(): void {
    attempt(() => this.#database.close());
  }
}

class BuiltinStatement implements Statement {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  run(...params: SqlValue[]): void {
    const bound = bindable(params);
    attempt(() => this.#statement.run(...bound));
  }

  get(...params: SqlValue[]): Row | undefined {
    const bound = bindable(params);
    return attempt(() => this.#statement.get(...bound)) as Row | undefined;
  }

  all(...params: SqlValue[]): Row[] {
    const bound = bindable(params);
    return attempt(() => this.#statement.all(...bound)) as Row[];
  }
}

type Bindable = string | bigint | Uint8Array | null;

function bindable(params: SqlValue[]): Bindable[] {
  return params.map((value) => {
    assertBindable(value);
    // A number would be bound as REAL.
    return typeof value === "number" ? BigInt(value) : value;
  });
}

function openOwn(location: Location): DatabaseSync {
  // The binding has no way to say "do not create".
  if (location.mode === "rw" && !location.memory) assertFile(location.path);
  return new DatabaseSync(filename(location), {
    readOnly: location.mode === "ro",
  });
}

function openShared(location: Location): DatabaseSync {
  try {
    return new DatabaseSync(filename(location));
  } catch (cause) {
    // Without every permission Deno takes the URI for a file's path.
    throw new SqlError(
      "other",
      "node:sqlite can share a database in memory only with --allow-all",
      { cause },
    );
  }
}

function assertFile(path: string): void {
  try {
    Deno.statSync(path);
  } catch (cause) {
    throw new SqlError("cannot_open", (cause as Error).message, { cause });
  }
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isFailure(error)) throw SqlError.from(error, error.errcode);
    // An integer past 2^53 - 1, which nobody here writes.
    if (codeOf(error) === "ERR_OUT_OF_RANGE") {
      throw new SqlError("corrupt", (error as Error).message, { cause: error });
    }
    throw error;
  }
}

/** Whether SQLite, or Deno on its behalf, refused. Anything else is a mistake. */
function isFailure(error: unknown): error is Error & { errcode?: number } {
  return error instanceof Deno.errors.NotCapable ||
    codeOf(error) === "ERR_SQLITE_ERROR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
