/**
 * One etcd for all test files of a process. Each file is a separate module graph,
 * so they share the server's address through an environment variable.
 *
 * @module
 */
import { until } from "../postgres/until.ts";
import { startNode } from "./cluster.ts";
import { findEtcd, type Missing } from "./find_etcd.ts";

/** A server that tests share. Each test uses its own prefix. */
export interface SharedEtcd {
  readonly url: string;
  /** The version, such as `3.4.23`. */
  readonly version: string;
}

/** The variable with the server, or the reason why none is available, as JSON. Child processes inherit it. */
const VARIABLE = "ZESTOR_TEST_ETCD";

/** The variable's value while a file of this process starts the server. */
const PENDING = `pending ${Deno.pid}`;

/** The shared server. The first caller starts it; a guard ends it after the process. */
export async function sharedEtcd(
  variable = VARIABLE,
): Promise<SharedEtcd | Missing> {
  const isPending = () => Deno.env.get(variable) === PENDING;
  if (!isPending() && !Deno.env.get(variable)?.startsWith("{")) {
    Deno.env.set(variable, PENDING);
    Deno.env.set(variable, JSON.stringify(await getServer()));
  }
  await until("the shared etcd has started", () => !isPending(), 600_000);
  return JSON.parse(Deno.env.get(variable)!);
}

async function getServer(): Promise<SharedEtcd | Missing> {
  try {
    const binary = await findEtcd();
    if ("reason" in binary) return binary;
    const { url } = await startNode({ binary });
    return { url, version: binary.version };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
