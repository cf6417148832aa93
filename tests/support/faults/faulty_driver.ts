/**
 * A driver whose statements fail as a test plans it: with what SQLite raises,
 * and after what SQLite does of a statement that fails.
 *
 * @module
 */
import type { StoreErrorCode } from "../../../mod.ts";
import {
  type Connection,
  type Driver,
  SqlError,
} from "../../../src/sqlite/driver/mod.ts";
import type { DriverChoice } from "../../../src/sqlite/driver/load.ts";
import { NEXT_EXPIRY } from "../../../src/sqlite/storage/queries.ts";
import { type DriverCall, wrappedDriver } from "./instrumented_driver.ts";

/** A failure of SQLite that a test injects. */
export type Failure = "busy" | "full" | "io" | "corrupt";

/**
 * What takes place of a call that fails: nothing; the rollback of the whole
 * transaction, as SQLite does by itself after some failures
 * (https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction);
 * or all of it, as of a commit whose journal was deleted and whose directory
 * then could not be synced.
 */
export type Effect = "nothing" | "rollback" | "all";

/** What a store's callers are told of it. */
export const TOLD_AS: Readonly<Record<Failure, StoreErrorCode>> = {
  busy: "BUSY",
  full: "FULL",
  io: "STORAGE",
  corrupt: "CORRUPT",
};

/** How a call fails. */
export interface Fault {
  readonly failure: Failure;
  readonly effect: Effect;
}

/** A call that was made while faults were being injected. */
export interface Step {
  /** 0 for the first one. */
  readonly number: number;
  readonly method: DriverCall["method"];
  readonly sql: string;
  /** What transaction was open. */
  readonly transaction: "read" | "write" | undefined;
}

/** Which call fails, and how. */
export type FaultPlan = (step: Step) => Fault | undefined;

const CODES: Record<Failure, [code: number, message: string]> = {
  busy: [5, "database is locked"],
  full: [13, "database or disk is full"],
  io: [10, "disk I/O error"],
  corrupt: [11, "database disk image is malformed"],
};

/** The faults of one driver's connections. */
export class Faults {
  /** The calls since `inject`. */
  readonly steps: Step[] = [];
  /** Those that failed by plan, in their order. */
  readonly injected: Fault[] = [];
  /** How many connections are open. */
  open = 0;
  /** The one that was opened last. */
  connection: Connection | undefined;
  readonly #transactions = new WeakMap<Connection, "read" | "write">();
  #plan: FaultPlan | undefined;

  /** From here on calls are counted, and fail by plan. */
  inject(plan: FaultPlan): void {
    this.steps.length = 0;
    this.injected.length = 0;
    this.#plan = plan;
  }

  /** From here on no call fails, and none is counted. */
  lift(): void {
    this.#plan = undefined;
  }

  /** Carries a call out, or fails it. */
  around<T>(call: DriverCall, carryOut: () => T): T {
    const { connection, method } = call;
    if (method === "close") {
      this.open--;
      return carryOut();
    }
    const fault = this.#next(call);
    if (!fault) return this.#carryOut(call, carryOut);
    this.injected.push(fault);
    if (fault.effect === "all") this.#carryOut(call, carryOut);
    if (fault.effect === "rollback") this.#rollBack(connection);
    const [code, message] = CODES[fault.failure];
    throw SqlError.from(new Error(message), code);
  }

  #next({ connection, method, sql }: DriverCall): Fault | undefined {
    // A store asks that each second, whatever else it does.
    if (!this.#plan || sql === NEXT_EXPIRY) return undefined;
    const step: Step = {
      number: this.steps.length,
      method,
      sql,
      transaction: this.#transactions.get(connection),
    };
    this.steps.push(step);
    return this.#plan(step);
  }

  #rollBack(connection: Connection): void {
    if (!this.#transactions.has(connection)) return;
    connection.exec("ROLLBACK");
    this.#transactions.delete(connection);
  }

  #carryOut<T>({ connection, method, sql }: DriverCall, carryOut: () => T): T {
    const result = carryOut();
    if (method === "prepare") return result;
    if (sql === "BEGIN") this.#transactions.set(connection, "read");
    if (sql === "BEGIN IMMEDIATE") this.#transactions.set(connection, "write");
    if (sql === "COMMIT" || sql === "ROLLBACK") {
      this.#transactions.delete(connection);
    }
    return result;
  }
}

/** A driver with faults. */
export async function faultyDriver(
  choice: DriverChoice,
  faults: Faults,
): Promise<Driver> {
  const driver = await wrappedDriver(
    choice,
    (call, carryOut) => faults.around(call, carryOut),
  );
  return {
    ...driver,
    open(location) {
      const connection = driver.open(location);
      faults.open++;
      faults.connection = connection;
      return connection;
    },
  };
}

/** Fails one call. */
export function failAt(number: number, fault: Fault): FaultPlan {
  return (step) => step.number === number ? fault : undefined;
}

/** Fails every call from one to another, the last one not included. */
export function failFrom(
  first: number,
  fault: Fault,
  last = Infinity,
): FaultPlan {
  return ({ number }) => number >= first && number < last ? fault : undefined;
}
