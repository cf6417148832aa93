/**
 * Runs the programs of PostgreSQL: without the caller's `PG*` variables, and as
 * an ordinary user, since the server refuses to run as root.
 *
 * @module
 */
import process from "node:process";

/** Whom the servers run as: `undefined` is the user of this process. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

/** As root, `postgres` or else `nobody`. */
export const account: Account | undefined = isRoot
  ? accountNamed("postgres") ?? accountNamed("nobody")
  : undefined;

function accountNamed(name: string): Account | undefined {
  const lines = Deno.readTextFileSync("/etc/passwd").split("\n");
  const line = lines.find((line) => line.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Gives a file or directory to the account that the servers run as. */
export function giveToAccount(path: string): void {
  if (account) Deno.chownSync(path, account.uid, account.gid);
}

/** What a program may be given. */
export interface RunOptions {
  readonly as?: Account;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Runs a program to its end. Rejects with what it printed if it fails. */
export async function run(
  program: string,
  args: readonly string[],
  { as, cwd = "/", env = {} }: RunOptions = {},
): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    clearEnv: true,
    env: { ...environment(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...as,
  }).output();
  const decoder = new TextDecoder();
  const printed = decoder.decode(stdout);
  if (success) return printed;
  throw new Error(
    `Cannot run ${program}: exit code ${code}\n${printed}${
      decoder.decode(stderr)
    }`,
  );
}

/** The caller's environment, with English messages and without `PG*` variables. */
function environment(): Record<string, string> {
  const inherited = Object.entries(Deno.env.toObject());
  const kept = inherited.filter(([name]) => !name.startsWith("PG"));
  return { ...Object.fromEntries(kept), LC_ALL: "C" };
}

/** If a process runs. A zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
  if (Deno.build.os !== "linux") return true;
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}
