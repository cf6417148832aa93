/**
 * Tests on the shared server, and what they need of it.
 *
 * @module
 */
import { testsThatNeed } from "./needs.ts";
import { queryAt } from "./query.ts";
import { sharedPostgres, type SharedServer } from "./shared.ts";

const shared = await sharedPostgres();

/**
 * How many tests of a file share a database. To find a function by its name,
 * PostgreSQL looks at the functions with this name in all schemas of the
 * database: with 800 stores, a new one took three times as long to make.
 */
const TESTS_PER_DATABASE = 30;

/** The database of the tests that run now. */
let current: TestDatabase | undefined;

/** How many more tests use it. */
let left = 0;

const register = testsThatNeed<SharedServer>("a PostgreSQL server", shared);

/** Registers a test on the shared server; ignored if none can be had. */
export const testPostgres: typeof register = (name, test) =>
  register(name, async (_, t) => {
    if (left === 0) {
      await dropCurrent();
      current = await newDatabase();
      left = TESTS_PER_DATABASE;
    }
    left--;
    await test({ url: current!.url }, t);
  });

Deno.test.afterAll(dropCurrent);

async function dropCurrent(): Promise<void> {
  await current?.[Symbol.asyncDispose]();
  current = undefined;
}

let names = 0;

/** A name that no other schema or database of the server has. */
function freshName(): string {
  const random = crypto.randomUUID().slice(0, 8);
  return `zt_${Deno.pid}_${random}_${++names}`;
}

/** The name of a schema that does not exist yet. */
export function freshSchema(): string {
  return freshName();
}

/** The rows of a statement in the database of the tests that run now, as a superuser. */
export async function adminQuery<Row = Record<string, unknown>>(
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  return await queryAt(current?.url ?? sharedUrl(), sql, values);
}

function sharedUrl(): string {
  if ("reason" in shared) throw new Error(`Cannot query: ${shared.reason}`);
  return shared.url;
}

/** A database of the shared server. Disposing of it drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
}

/** Makes an empty database. */
export async function newDatabase(): Promise<TestDatabase> {
  const name = freshName();
  const query = (sql: string) => queryAt(sharedUrl(), sql);
  await query(`CREATE DATABASE ${name}`);
  const url = new URL(sharedUrl());
  url.pathname = name;
  return {
    name,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await query(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
