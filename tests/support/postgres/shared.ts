/**
 * One server for all test files of a process. Each file is a module graph of
 * its own, so they find each other by the environment.
 *
 * @module
 */
import { until } from "./until.ts";
import { findPostgres, type Missing } from "./find_postgres.ts";
import { startServer } from "./server.ts";

/** A server that tests share: each uses a schema or database of its own. */
export interface SharedServer {
  /** A database, as a superuser. */
  readonly url: string;
}

/** Holds the answer as JSON. Child processes inherit it. */
const VARIABLE = "ZESTOR_TEST_POSTGRES";

/** What it holds while a file of this process gets the answer. */
const PENDING = `pending ${Deno.pid}`;

/** The shared server. The first caller starts it; a guard ends it after the process. */
export async function sharedPostgres(
  variable = VARIABLE,
): Promise<SharedServer | Missing> {
  const isPending = () => Deno.env.get(variable) === PENDING;
  if (!isPending() && !Deno.env.get(variable)?.startsWith("{")) {
    Deno.env.set(variable, PENDING);
    Deno.env.set(variable, JSON.stringify(await getServer()));
  }
  await until("the shared server has started", () => !isPending(), 120_000);
  return JSON.parse(Deno.env.get(variable)!);
}

async function getServer(): Promise<SharedServer | Missing> {
  try {
    const found = await findPostgres();
    if ("reason" in found) return found;
    if ("url" in found) return { url: found.url };
    const { url } = await startServer({ binaries: found });
    return { url };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
