/**
 * The cost of the change log for a write: the store and raw statements, on a
 * file with its triggers and on a file without them.
 *
 * @module
 */
import { deepEqual } from "node:assert";
import { openStore } from "../../mod.ts";
import type { Driver, Statement } from "../../src/sqlite/driver/mod.ts";
import { loadDriver } from "../../src/sqlite/driver/load.ts";
import { GET_SCHEMA_VERSION } from "../../src/sqlite/connection/queries.ts";
import { type Contender, longer, measure, speedOf } from "../measure.ts";
import { atMost, digits, type Line, lineOf } from "../results.ts";
import type { Connection } from "../subjects/binding.ts";
import { rawSession } from "../subjects/raw.ts";
import { type DriverName, KIND, type Kinds } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL } from "../values.ts";
import type { Bench, Row } from "./row.ts";

const COUNT = 1_000;
/** So few changes that the log is full, and pruned, from the beginning. */
const HISTORY = COUNT;
/** The largest relative time of a `set` with the log. */
const MOST = 1.4;

const HEADING = "time / no triggers";

/** The row. */
export const logCostRow: Row = {
  name: "change log",
  async measure(bench) {
    await using resources = new AsyncDisposableStack();
    const contenders: Contender[] = [];
    const checks: (() => void)[] = [];
    for (const driver of bench.bindings.keys()) {
      const files = resources.use(new LogFiles(bench, driver));
      contenders.push(
        await files.storeSet(`store (${driver})`, dropNothing),
        await files.storeSet(`store (${driver}), no triggers`, dropTriggers),
        await files.rawSet(`raw (${driver})`, dropNothing),
        await files.rawSet(`raw (${driver}), no triggers`, dropTriggers),
      );
      checks.push(() => files.assertLogged([true, false, true, false]));
    }
    const measured = await measure(contenders, longer(bench.plan));
    for (const check of checks) check();
    const lines: Line[] = [];
    for (let i = 0; i < measured.length; i += 4) {
      const [store, storeUnlogged, raw, rawUnlogged] = measured.slice(i);
      const cost = speedOf(storeUnlogged, store);
      const rawCost = speedOf(rawUnlogged, raw);
      const limit = `raw: ${digits(rawCost.median)}`;
      lines.push(
        {
          ...lineOf(store, "store"),
          ratios: { [HEADING]: cost },
          goals: [atMost(MOST, cost.median, digits, " × no triggers", limit)],
        },
        // Nobody runs it like this, so it does not count for the comparison of
        // drivers.
        { ...lineOf(storeUnlogged, "store"), times: undefined },
        { ...lineOf(raw, "raw"), ratios: { [HEADING]: rawCost } },
        lineOf(rawUnlogged, "raw"),
      );
    }
    return {
      name: this.name,
      work:
        'one caller replaces a value, at `durability: "normal"`, with the triggers that write the change log, and without them; raw: its log is not pruned',
      unit: "set",
      lines,
    };
  },
};

/** Files with and without triggers, each open for one contender. */
class LogFiles implements AsyncDisposable {
  readonly #bench: Bench;
  readonly #driver: DriverName;
  readonly #resources = new AsyncDisposableStack();
  /** A connection to each file, and the newest revision before the measurement. */
  readonly #files: { connection: Connection; revision: number }[] = [];

  constructor(bench: Bench, driver: DriverName) {
    this.#bench = bench;
    this.#driver = driver;
  }

  /** The store's `set`. */
  async storeSet(name: string, prepare: Prepare): Promise<Contender> {
    const path = await this.#makeFile();
    const store = this.#resources.use(await this.#openStore(path));
    this.#connect(path, prepare);
    return {
      name,
      operate: (n) => store.set(KIND, keyOf(n % COUNT), SMALL.of(COUNT + n)),
    };
  }

  /** The same by raw statements. */
  async rawSet(name: string, prepare: Prepare): Promise<Contender> {
    const connection = this.#connect(await this.#makeFile(), prepare);
    connection.exec("PRAGMA synchronous = NORMAL");
    const session = rawSession(connection);
    return {
      name,
      operate: (n) => session.set(keyOf(n % COUNT), SMALL.of(COUNT + n)),
    };
  }

  /** Checks that the log has grown, or has not. */
  assertLogged(logged: readonly boolean[]): void {
    const grown = this.#files.map(({ connection, revision }) =>
      revisionOf(connection) > revision
    );
    deepEqual(grown, logged);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #makeFile(): Promise<string> {
    const path = `${await this.#bench.makeFolder()}/store.db`;
    await using store = await this.#openStore(path);
    await store.setAll(KIND, entriesOf(SMALL, COUNT));
    return path;
  }

  async #openStore(path: string) {
    return await openStore<Kinds>({
      path,
      driver: await unnoticing(this.#driver),
      durability: "normal",
      history: HISTORY,
    });
  }

  #connect(path: string, prepare: Prepare): Connection {
    const connection = this.#bench.bindings.get(this.#driver)!.open(path);
    this.#resources.defer(() => void connection.close());
    prepare(connection);
    this.#files.push({ connection, revision: revisionOf(connection) });
    return connection;
  }
}

/** A driver on which a store does not notice the missing triggers, which it would create again. */
async function unnoticing(name: DriverName): Promise<Driver> {
  const driver = await loadDriver(name);
  return {
    ...driver,
    open(location) {
      const connection = driver.open(location);
      return {
        exec: (sql) => connection.exec(sql),
        prepare(sql) {
          const statement = connection.prepare(sql);
          return sql === GET_SCHEMA_VERSION ? constant(statement) : statement;
        },
        close: () => connection.close(),
      };
    },
  };
}

/** The statement, with the row of its first call. */
function constant(statement: Statement): Statement {
  let first: ReturnType<Statement["get"]>;
  return {
    run: () => statement.run(),
    get() {
      const row = statement.get();
      return first ??= row;
    },
    all: () => statement.all(),
  };
}

type Prepare = (connection: Connection) => void;

function dropNothing(): void {}

function dropTriggers(connection: Connection): void {
  const triggers = connection.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
  ).all();
  for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
}

function revisionOf(connection: Connection): number {
  return connection.prepare("SELECT seq FROM sqlite_sequence").get().seq;
}
