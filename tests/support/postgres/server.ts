/**
 * A PostgreSQL server of a test's own, on a free port of the loopback
 * interface. It can crash, start again, and have a standby.
 *
 * @module
 */
import { join } from "node:path";
import { account, isRunning, run } from "./commands.ts";
import { until } from "./until.ts";
import { type Binaries, findBinaries } from "./find_postgres.ts";
import { makeServerDir, PID_FILE, pidIn, removeServerDir } from "./home.ts";
import { onFreePort } from "./ports.ts";
import { queryAt } from "./query.ts";
import { initialise } from "./initialise.ts";
import { linkToMemory } from "./memory_dir.ts";
import { copyData } from "./replica.ts";
import { settingLines, type Settings } from "./settings.ts";
import { certify } from "./certificate.ts";

/** How a server is set up. */
export interface ServerOptions {
  /** If commits reach the disk. @default {false} */
  readonly fsync?: boolean;
  /** More settings, as in postgresql.conf. */
  readonly settings?: Settings;
  /** The password of the user `zestor`; without it, everybody is let in. */
  readonly password?: string;
  /** If the server offers TLS, by a certificate for 127.0.0.1. @default {false} */
  readonly tls?: boolean;
  /** Which PostgreSQL it is. @default {what `findBinaries` finds} */
  readonly binaries?: Binaries;
}

/** How a standby is set up. */
export interface StandbyOptions {
  /** The port at which it reaches the primary, such as that of a proxy. */
  readonly port?: number;
  /** More settings. */
  readonly settings?: Settings;
}

/** A server that this process started. Disposing of it ends it and removes its files. */
export interface Server extends AsyncDisposable {
  /** The database `postgres`, as the superuser `zestor`. */
  readonly url: string;
  readonly port: number;
  /** The major version, such as 18. */
  readonly version: number;
  /** The folder with all of its files; its data are in `data`. */
  readonly dir: string;
  /** If it has TLS: the file of the authority that signed its certificate. */
  readonly authority: string | undefined;
  /** The rows of a statement, over a connection of its own. */
  query<Row = Record<string, unknown>>(
    sql: string,
    values?: unknown[],
  ): Promise<Row[]>;
  /** Ends it, and cuts its connections. The data stay. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL, as in a crash. The data stay. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and data. */
  start(): Promise<void>;
  /** Stops it and starts it again. */
  restart(): Promise<void>;
  /** Makes a primary of a standby. */
  promote(): Promise<void>;
  /** Starts an asynchronous replica of it. */
  standby(options?: StandbyOptions): Promise<Server>;
  /** Waits until this standby has replayed all that the primary has written. */
  caughtUp(primary: Server): Promise<void>;
}

const DEFAULTS: Settings = {
  listen_addresses: "127.0.0.1",
  // In the folder of the data, so that a killed server leaves nothing elsewhere.
  dynamic_shared_memory_type: "mmap",
  // What a standby has not received yet must not be removed.
  wal_keep_size: "256MB",
  max_wal_size: "256MB",
};

/** Starts a server. Rejects with the reason if no PostgreSQL can be had. */
export async function startServer(
  options: ServerOptions = {},
): Promise<Server> {
  const binaries = options.binaries ?? await findBinaries();
  if ("reason" in binaries) {
    throw new Error(`Cannot start a server: ${binaries.reason}`);
  }
  const { fsync = false, settings, password, tls } = options;
  const dir = await makeServerDir();
  if (!fsync) await linkToMemory(dir, "data");
  await initialise(binaries, join(dir, "data"), password);
  await configure(dir, { ...DEFAULTS, fsync });
  const certificate = tls ? await certify(dir) : undefined;
  await configure(dir, { ...certificate?.settings, ...settings });
  const authority = certificate?.authority;
  return await startIn({ binaries, dir, password, authority });
}

/** What a server's log says if a killed one is still there. */
const STILL_THERE =
  /shared memory block .* still in use|"postmaster.pid" already exists/;

/** What a server is made of, apart from its port. */
interface Cluster {
  readonly binaries: Binaries;
  readonly dir: string;
  readonly password: string | undefined;
  readonly authority: string | undefined;
}

/** The last of the settings with the same name counts. */
async function configure(dir: string, settings: Settings): Promise<void> {
  const file = join(dir, "data", "postgresql.conf");
  await Deno.writeTextFile(file, settingLines(settings), { append: true });
}

async function startIn(cluster: Cluster): Promise<Server> {
  const { dir } = cluster;
  return await onFreePort(async (port) => {
    await configure(dir, {
      port,
      unix_socket_directories: dir,
      external_pid_file: join(dir, PID_FILE),
    });
    const server = serverOf(cluster, port);
    await server.start();
    return server;
  });
}

function serverOf(cluster: Cluster, port: number): Server {
  const { binaries, dir, password, authority } = cluster;
  const data = join(dir, "data");
  const log = join(dir, "log");
  const readLog = () => Deno.readTextFile(log).catch(() => "");
  const control = (...args: string[]) =>
    run(join(binaries.bin, "pg_ctl"), ["--pgdata", data, "--wait", ...args], {
      as: account,
    });

  const server: Server = {
    url: urlOf(port, cluster),
    port,
    version: binaries.version,
    dir,
    authority,
    query: (sql, values) => queryAt(server.url, sql, values),
    async stop() {
      await control("stop", "--mode=fast");
    },
    async kill() {
      const pid = await pidIn(dir);
      if (pid === undefined) return;
      Deno.kill(pid, "SIGKILL");
      await until("the killed server has ended", () => !isRunning(pid));
      await Deno.remove(join(dir, PID_FILE));
    },
    async start() {
      // A killed server, and its children, may be there a moment longer.
      await until("the server has started", async () => {
        const before = (await readLog()).length;
        try {
          await control("start", "--silent", "--log", log);
          return true;
        } catch (cause) {
          const text = (await readLog()).slice(before);
          if (STILL_THERE.test(text)) return false;
          throw new Error(`Cannot start the server in ${dir}:\n${text}`, {
            cause,
          });
        }
      });
    },
    async restart() {
      await server.stop();
      await server.start();
    },
    async promote() {
      await control("promote");
    },
    async standby({ port: source = port, settings = {} } = {}) {
      const copy = await makeServerDir();
      await copyData(server.url, data, join(copy, "data"));
      await configure(copy, {
        ...settings,
        primary_conninfo: conninfo(source, password),
      });
      return await startIn({ ...cluster, dir: copy });
    },
    async caughtUp(primary) {
      const [{ end }] = await primary.query(
        "SELECT pg_current_wal_lsn()::text AS end",
      );
      await until("the standby has caught up", async () => {
        const [{ done }] = await server.query<{ done: boolean }>(
          "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done",
          [end],
        );
        return done;
      });
    },
    async [Symbol.asyncDispose]() {
      const pid = await pidIn(dir);
      if (pid !== undefined && isRunning(pid)) {
        await control("stop", "--mode=immediate");
      }
      await removeServerDir(dir);
    },
  };
  return server;
}

function urlOf(port: number, { password, authority }: Cluster): string {
  const url = new URL(`postgres://zestor@127.0.0.1:${port}/postgres`);
  if (password !== undefined) url.password = password;
  if (authority !== undefined) {
    url.searchParams.set("sslmode", "verify-full");
    url.searchParams.set("sslrootcert", authority);
  }
  return url.href;
}

function conninfo(port: number, password: string | undefined): string {
  const given = { host: "127.0.0.1", port, user: "zestor", password };
  return Object.entries(given).filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      `${name}='${String(value).replaceAll(/['\\]/g, "\\$&")}'`
    ).join(" ");
}
