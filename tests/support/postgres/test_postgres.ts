/**
 * Tests on the shared server, and what they need of it.
 *
 * @module
 */
import { testsThatNeed } from "./needs.ts";
import { queryAt } from "./query.ts";
import { sharedPostgres, type SharedServer } from "./shared.ts";

const shared = await sharedPostgres();

/** Registers a test on the shared server; ignored if none can be had. */
export const testPostgres = testsThatNeed<SharedServer>(
  "a PostgreSQL server",
  shared,
);

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

/** The rows of a statement at the shared server, as a superuser. */
export async function adminQuery<Row = Record<string, unknown>>(
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  if ("reason" in shared) throw new Error(`Cannot query: ${shared.reason}`);
  return await queryAt(shared.url, sql, values);
}

/** A database of the shared server. Disposing of it drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
}

/** Makes an empty database. */
export async function newDatabase(): Promise<TestDatabase> {
  if ("reason" in shared) {
    throw new Error(`Cannot make a database: ${shared.reason}`);
  }
  const name = freshName();
  await adminQuery(`CREATE DATABASE ${name}`);
  const url = new URL(shared.url);
  url.pathname = name;
  return {
    name,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await adminQuery(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
