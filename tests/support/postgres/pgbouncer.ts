/**
 * A pgbouncer in front of a server, in transaction mode.
 *
 * @module
 */
import { join } from "node:path";
import { account, giveToAccount, run } from "./commands.ts";
import { until } from "./until.ts";
import { findPgbouncer, type Pgbouncer } from "./find_pgbouncer.ts";
import { makeServerDir, PID_FILE, pidIn, removeServerDir } from "./home.ts";
import { testsThatNeed } from "./needs.ts";
import { onFreePort } from "./ports.ts";
import type { Settings } from "./settings.ts";

/** A pgbouncer that this process started. Disposing of it ends it. */
export interface Bouncer extends AsyncDisposable {
  /** The server's URL, through the pgbouncer. */
  readonly url: string;
  readonly port: number;
}

/**
 * Starts one in front of the server at a URL. It lets everybody in, as the
 * URL's user. Settings are those of the section `pgbouncer`.
 */
export async function startPgbouncer(
  pgbouncer: Pgbouncer,
  url: string,
  settings: Settings = {},
): Promise<Bouncer> {
  const dir = await makeServerDir();
  const config = join(dir, "config.ini");
  return await onFreePort(async (port) => {
    await Deno.writeTextFile(
      config,
      configOf(new URL(url), dir, port, settings),
    );
    giveToAccount(config);
    await run(pgbouncer.program, ["--quiet", "--daemon", config], {
      as: account,
      env: pgbouncer.env,
    });
    await untilListening(dir, port);
    return bouncerOf(url, dir, port);
  });
}

function configOf(
  { hostname, port, username, password }: URL,
  dir: string,
  listenPort: number,
  settings: Settings,
): string {
  const quoted = (text: string) =>
    `'${decodeURIComponent(text).replaceAll("'", "''")}'`;
  const all: Settings = {
    listen_addr: "127.0.0.1",
    listen_port: listenPort,
    unix_socket_dir: "",
    auth_type: "any",
    pool_mode: "transaction",
    logfile: join(dir, "log"),
    pidfile: join(dir, PID_FILE),
    ...settings,
  };
  return [
    "[databases]",
    `* = host=${hostname} port=${port || 5432} user=${quoted(username)}` +
    (password && ` password=${quoted(password)}`),
    "[pgbouncer]",
    ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
    "",
  ].join("\n");
}

async function untilListening(dir: string, port: number): Promise<void> {
  await until("pgbouncer listens", async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return await pidIn(dir);
    } catch {
      const log = await Deno.readTextFile(join(dir, "log")).catch(() => "");
      if (/FATAL|in use/.test(log)) {
        await Deno.remove(join(dir, "log"));
        throw new Error(`Cannot start pgbouncer:\n${log}`);
      }
    }
  });
}

function bouncerOf(url: string, dir: string, port: number): Bouncer {
  const through = new URL(url);
  through.host = `127.0.0.1:${port}`;
  // The pgbouncer itself offers no TLS.
  through.search = "";
  return {
    url: through.href,
    port,
    async [Symbol.asyncDispose]() {
      // It keeps nothing, and its signals for an ordinary end differ between versions.
      const pid = await pidIn(dir);
      if (pid !== undefined) Deno.kill(pid, "SIGKILL");
      await removeServerDir(dir);
    },
  };
}

const found = await findPgbouncer();

/** Registers a test that is given pgbouncer; ignored if it cannot be had. */
export const testPgbouncer = testsThatNeed("pgbouncer", found, {
  isRequired: false,
});
