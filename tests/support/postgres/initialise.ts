/**
 * The data folders of new servers. `initdb` takes a second of CPU time, so it
 * makes only the first one without a password, and the others are copies.
 *
 * @module
 */
import { join } from "node:path";
import { account, giveToAccount, run } from "./commands.ts";
import type { Binaries } from "./find_postgres.ts";
import { serversHome } from "./home.ts";
import { until } from "./until.ts";

/** Makes a data folder. With a password, the server asks for it. */
export async function initialise(
  { bin, version }: Binaries,
  data: string,
  password: string | undefined,
): Promise<void> {
  if (password === undefined) {
    const template = await templateOf(bin, version);
    await run("cp", ["-R", `${template}/.`, data], { as: account });
    return;
  }
  const file = join(data, "..", "password");
  await Deno.writeTextFile(file, `${password}\n`, { mode: 0o600 });
  giveToAccount(file);
  await initdb(bin, data, ["--auth=scram-sha-256", "--pwfile", file]);
}

/** A data folder to copy. The test files of this process share it. */
async function templateOf(bin: string, version: number): Promise<string> {
  const dir = join(await serversHome(), `template-${version}`);
  const data = join(dir, "data");
  const done = join(dir, "done");
  try {
    await Deno.mkdir(dir);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    // Another test file makes it.
    const isDone = () => Deno.stat(done).then(() => true, () => false);
    await until("initdb has made the template", isDone, 60_000);
    return data;
  }
  giveToAccount(dir);
  await initdb(bin, data, ["--auth=trust"]);
  await Deno.writeTextFile(done, "");
  return data;
}

async function initdb(
  bin: string,
  data: string,
  options: readonly string[],
): Promise<void> {
  await run(join(bin, "initdb"), [
    "--pgdata",
    data,
    "--username=zestor",
    "--encoding=UTF8",
    // macOS has C.UTF-8 only in its newest versions.
    `--locale=${Deno.build.os === "darwin" ? "C" : "C.UTF-8"}`,
    "--no-sync",
    ...options,
  ], { as: account });
}
