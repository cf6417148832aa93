/**
 * Roles of the shared server, which are no superusers.
 *
 * @module
 */
import { adminQuery, freshSchema } from "./test_postgres.ts";

/** A role. Disposing of it drops it: its databases have to be gone before. */
export interface TestRole extends AsyncDisposable {
  readonly name: string;
  /** The URL of a database, as this role. */
  at(url: string): string;
}

/** Makes a role that may connect. */
export async function newRole(): Promise<TestRole> {
  const name = `${freshSchema()}_role`;
  const password = crypto.randomUUID();
  await adminQuery(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
  return {
    name,
    at(url) {
      const own = new URL(url);
      own.username = name;
      own.password = password;
      return own.href;
    },
    async [Symbol.asyncDispose]() {
      await adminQuery(`DROP ROLE ${name}`);
    },
  };
}
