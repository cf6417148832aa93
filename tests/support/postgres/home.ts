/**
 * The folder of all servers that this process starts. When the process ends, in
 * whatever way, a guard ends the servers and removes the folder.
 *
 * @module
 */
import { join } from "node:path";
import { giveToAccount } from "./commands.ts";
import { until } from "./until.ts";

/** A server in the folder `x` has its process id in this file of it. */
export const PID_FILE = "server.pid";

/** The process's own id and the folder; each test file is a module graph of its own. */
const VARIABLE = "ZESTOR_TEST_SERVERS";

const GUARD = `
trap '' HUP INT TERM
is_running() {
  kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.*Z' "/proc/$1/status"
}
while is_running "$1"; do sleep 1; done
for file in "$2"/*/${PID_FILE}; do
  pid=$(cat "$file" 2>/dev/null) || continue
  kill -QUIT "$pid"
  left=100
  while is_running "$pid" && [ $((left -= 1)) -gt 0 ]; do sleep 0.1; done
  kill -KILL "$pid"
done
# The data of a server may be elsewhere, behind a link.
for link in "$2"/*/data; do
  [ -L "$link" ] && rm -rf "$(readlink "$link")"
done
rm -rf "$2"
`;

/** Makes an empty folder for a server. */
export async function makeServerDir(): Promise<string> {
  const dir = await Deno.makeTempDir({ dir: await serversHome(), prefix: "s" });
  giveToAccount(dir);
  return dir;
}

/** Removes a server's folder, and its data behind a link. */
export async function removeServerDir(dir: string): Promise<void> {
  const data = await Deno.readLink(join(dir, "data")).catch(() => undefined);
  if (data !== undefined) await removeDir(data);
  await removeDir(dir);
}

/** What is left of a killed server may still write to the folder. */
async function removeDir(path: string): Promise<void> {
  await until("the server's folder is removed", async () => {
    try {
      await Deno.remove(path, { recursive: true });
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === "ENOTEMPTY") return false;
      throw error;
    }
  });
}

/** The folder of all servers that this process starts. */
export async function serversHome(): Promise<string> {
  // A child process inherits the variable, but needs a guard of its own.
  const [pid, path] = Deno.env.get(VARIABLE)?.split(":") ?? [];
  if (Number(pid) === Deno.pid) return path;

  const made = Deno.makeTempDirSync({ prefix: "zestor-pg-" });
  giveToAccount(made);
  Deno.env.set(VARIABLE, `${Deno.pid}:${made}`);
  await startGuard(made);
  return made;
}

/** Starts the guard by a shell that ends at once: Deno keeps no resource of it. */
async function startGuard(path: string): Promise<void> {
  const { success } = await new Deno.Command("sh", {
    args: [
      "-c",
      'sh -c "$0" guard "$1" "$2" </dev/null >/dev/null 2>&1 &',
      GUARD,
      String(Deno.pid),
      path,
    ],
    cwd: "/",
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`Cannot guard the servers in ${path}`);
}

/** The process id in a server's folder; `undefined` if the server does not run. */
export async function pidIn(dir: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(join(dir, PID_FILE)).catch(() => "");
  return text.trim() === "" ? undefined : Number(text);
}
