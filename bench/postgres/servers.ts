/**
 * The PostgreSQL servers of the benchmark: started here, with fsync on.
 *
 * @module
 */
import {
  type Binaries,
  findBinaries,
  type Missing,
} from "../../tests/support/postgres/find_postgres.ts";
import {
  type Server,
  startServer,
} from "../../tests/support/postgres/server.ts";

/** Servers that are started when a row asks for them. */
export interface PostgresServers extends AsyncDisposable {
  /** The major version. */
  readonly version: number;
  /** A server whose commits wait only for the disk. */
  quick(): Promise<Server>;
  /** A server whose commits wait 5 ms more, as on a slower disk. */
  slow(): Promise<Server>;
}

/** Settings that add 5 ms to each flush in any case. */
const SLOW = { commit_delay: 5_000, commit_siblings: 0 };

/** The servers, or why there are none. */
export async function findServers(): Promise<PostgresServers | Missing> {
  const binaries = await findBinaries();
  return "reason" in binaries ? binaries : serversOf(binaries);
}

function serversOf(binaries: Binaries): PostgresServers {
  const started: Promise<Server>[] = [];
  const start = (settings = {}) => {
    const server = startServer({ binaries, fsync: true, settings });
    started.push(server);
    return server;
  };
  let quick: Promise<Server> | undefined;
  let slow: Promise<Server> | undefined;
  return {
    version: binaries.version,
    quick: () => quick ??= start(),
    slow: () => slow ??= start(SLOW),
    async [Symbol.asyncDispose]() {
      for (const server of await Promise.allSettled(started)) {
        if (server.status === "fulfilled") {
          await server.value[Symbol.asyncDispose]();
        }
      }
    },
  };
}
