/**
 * The driver on `@db/sqlite`, which calls the native library through FFI.
 *
 * @module
 */
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
import { withoutNotice } from "./native_library.ts";

/**
 * The binding, in the versions that deno.json names. It is a variable, because
 * Deno would load the literal of an `import`, with all its imports, at each
 * start of each program, and ask the network for it.
 */
export const BINDING: string = "jsr:@db/sqlite@^0.13.0";

// The used part of the binding. Its own types are not imported, because they
// are unavailable if JSR is.
interface FfiModule {
  Database: new (path: string, options: FfiOptions) => FfiDatabase;
  /** The build of the native library. */
  SQLITE_SOURCEID: string;
}

interface FfiOptions {
  flags: number;
  int64: boolean;
  parseJson: boolean;
  unsafeConcurrency: boolean;
}

interface FfiDatabase {
  exec(sql: string): number;
  prepare(sql: string): FfiStatement;
  close(): void;
}

interface FfiStatement {
  run(...params: SqlValue[]): number;
  get(...params: SqlValue[]): object | undefined;
  all(...params: SqlValue[]): object[];
  finalize(): void;
}

/**
 * Loads the binding and its native library. Only users of this driver need the
 * permissions and the network.
 */
export async function loadFfiDriver(): Promise<Driver> {
  const { Database, SQLITE_SOURCEID }: FfiModule = await withoutNotice(() =>
    import(BINDING)
  );
  return {
    name: "ffi",
    library: `ffi ${SQLITE_SOURCEID}`,
    open: (location) => new FfiConnection(Database, location),
  };
}

// https://sqlite.org/c3ref/c_open_autoproxy.html
const OPEN_FLAGS = { ro: 0x1, rw: 0x2, rwc: 0x2 | 0x4 };
const OPEN_URI = 0x40;

class FfiConnection implements Connection {
  readonly #database: FfiDatabase;

  constructor(Database: FfiModule["Database"], location: DatabaseLocation) {
    this.#database = attempt(() =>
      new Database(filename(location), {
        flags: location.memory
          ? OPEN_FLAGS.rwc | OPEN_URI
          : OPEN_FLAGS[location.mode],
        // Without it, integers beyond 2^31 are read wrong.
        int64: true,
        // Without it, columns of the type JSON are read as objects.
        parseJson: false,
        // Without it, every call of `all` compiles a new function. It requires
        // that a statement's columns never change, and those of the store do
        // not.
        unsafeConcurrency: true,
      })
    );
  }

  exec(sql: string): void {
    attempt(() => this.#database.exec(sql));
  }

  prepare(sql: string): Statement {
    return new FfiPreparedStatement(() => this.#database.prepare(sql));
  }

  close(): void {
    attempt(() => this.#database.close());
  }
}

class FfiPreparedStatement implements Statement {
  readonly #prepare: () => FfiStatement;
  #statement: FfiStatement | undefined;

  constructor(prepare: () => FfiStatement) {
    this.#prepare = prepare;
    this.#statement = attempt(prepare);
  }

  run(...params: SqlValue[]): number {
    assertAllBindable(params);
    const statement = this.#prepared();
    try {
      return statement.run(...params);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  get(...params: SqlValue[]): Row | undefined {
    // Without parameters, the binding returns the same object at each call.
    if (params.length === 0) return this.all()[0];
    assertAllBindable(params);
    const statement = this.#prepared();
    try {
      return statement.get(...params) as Row | undefined;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  all(...params: SqlValue[]): Row[] {
    assertAllBindable(params);
    const statement = this.#prepared();
    try {
      return statement.all(...params) as Row[];
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #prepared(): FfiStatement {
    return this.#statement ??= attempt(this.#prepare);
  }

  /** Discards the statement, and returns the error to throw. */
  #failed(error: unknown): SqlError {
    const statement = this.#statement;
    this.#statement = undefined;
    if (statement) discard(statement);
    return toSqlError(error);
  }
}

/**
 * Finalizes a statement that failed. The binding would leave it open until its
 * next run: a `COMMIT` that found the file busy would keep its lock, even after
 * a `ROLLBACK`.
 */
function discard(statement: FfiStatement): void {
  try {
    statement.finalize();
  } catch {
    // SQLite reports the failure of the statement once more.
  }
}

function assertAllBindable(params: readonly SqlValue[]): void {
  for (const param of params) assertBindable(param);
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toSqlError(error);
  }
}

function toSqlError(error: unknown): SqlError {
  return SqlError.from(error, codeOf(error));
}

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error &&
      typeof error.code === "number"
    ? error.code
    : undefined;
}
