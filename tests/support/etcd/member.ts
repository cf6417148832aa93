/**
 * One etcd server: a process with a folder. A test can kill, restart, pause and
 * resume it.
 *
 * @module
 */
import { join } from "node:path";
import { isRunning } from "../postgres/commands.ts";
import {
  makeServerDir,
  PID_FILE,
  pidIn,
  removeServerDir,
} from "../postgres/home.ts";
import { until } from "../postgres/until.ts";
import { type CallTarget, type Status, statusOf } from "./call.ts";
import type { EtcdProgram } from "./find_etcd.ts";

/** A server. Disposing of it ends it and removes its files. */
export interface Member extends CallTarget, AsyncDisposable {
  readonly name: string;
  /** The port for clients. */
  readonly port: number;
  readonly dir: string;
  /** Whether its process runs and is not paused. */
  readonly isUp: boolean;
  /** The status that it reports. */
  status(): Promise<Status>;
  /** Starts or restarts it. Does not wait until it answers. */
  launch(): Promise<void>;
  /** Resolves when it answers, and follows a leader. */
  ready(): Promise<void>;
  /** Restarts it, and waits until it follows a leader. */
  start(): Promise<void>;
  /** Ends it by SIGKILL, as in a crash. The data stay. */
  kill(): Promise<void>;
  /** Pauses it by SIGSTOP. Its connections stay open and silent. */
  pause(): Promise<void>;
  /** Resumes it. */
  resume(): Promise<void>;
}

/** The settings of a member. */
export interface MemberOptions {
  readonly binary: EtcdProgram;
  readonly name: string;
  readonly port: number;
  /** The flags, except the folder of the data. */
  readonly flags: readonly string[];
  readonly url: string;
  readonly authority?: string;
}

/** Starts a program that outlives the shell: Deno keeps no resource of it. */
const LAUNCH = `
"$0" "$@" >>"$ZESTOR_LOG" 2>&1 </dev/null &
echo $! >"$ZESTOR_PID"`;

/** Makes the folder of a member, which is not started yet. */
export async function makeMember(
  options: MemberOptions & { readonly dir?: string },
): Promise<Member> {
  return new ServerProcess(options, options.dir ?? await makeServerDir());
}

class ServerProcess implements Member {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly authority: string | undefined;
  readonly dir: string;
  readonly #options: MemberOptions;
  #isUp = false;
  /** The length of the log before the last launch. */
  #logBefore = 0;

  constructor(options: MemberOptions, dir: string) {
    this.name = options.name;
    this.port = options.port;
    this.url = options.url;
    this.authority = options.authority;
    this.dir = dir;
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  status(): Promise<Status> {
    return statusOf(this);
  }

  async launch(): Promise<void> {
    const { binary, flags } = this.#options;
    const log = join(this.dir, "log");
    this.#logBefore = await Deno.stat(log).then(({ size }) => size, () => 0);
    const data = join(this.dir, "data");
    const { success } = await new Deno.Command("sh", {
      args: ["-c", LAUNCH, binary.program, "--data-dir", data, ...flags],
      cwd: this.dir,
      clearEnv: true,
      env: {
        ...environment(),
        ZESTOR_LOG: log,
        ZESTOR_PID: join(this.dir, PID_FILE),
      },
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error(`Cannot start ${binary.program}`);
    this.#isUp = true;
  }

  async ready(): Promise<void> {
    await until(`etcd ${this.name} follows a leader`, async () => {
      const pid = await pidIn(this.dir);
      if (pid === undefined || !isRunning(pid)) {
        throw new Error(`Cannot start etcd:\n${await this.#log()}`);
      }
      return await this.status().then(
        ({ leader }) => leader !== "0",
        // New versions report their status only to authenticated users.
        ({ message }) => /user name is empty/.test(message),
      );
    });
  }

  async start(): Promise<void> {
    await until(`etcd ${this.name} has started`, async () => {
      await this.launch();
      return await this.ready().then(() => true, (error) => {
        // The killed process may still hold the port.
        if (isPortTaken(error)) return false;
        throw error;
      });
    });
  }

  async kill(): Promise<void> {
    const pid = await pidIn(this.dir);
    if (pid === undefined) return;
    this.#isUp = false;
    if (isRunning(pid)) Deno.kill(pid, "SIGKILL");
    await until("the killed etcd has ended", () => !isRunning(pid));
    await Deno.remove(join(this.dir, PID_FILE));
  }

  async pause(): Promise<void> {
    this.#isUp = false;
    Deno.kill((await pidIn(this.dir))!, "SIGSTOP");
  }

  async resume(): Promise<void> {
    Deno.kill((await pidIn(this.dir))!, "SIGCONT");
    this.#isUp = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await removeServerDir(this.dir);
  }

  async #log(): Promise<string> {
    const log = await Deno.readTextFile(join(this.dir, "log")).catch(() => "");
    return log.slice(this.#logBefore).split("\n").slice(-20).join("\n");
  }
}

function isPortTaken({ message }: Error): boolean {
  return /address already in use/.test(message);
}

/** The caller's environment, without the variables that etcd reads. */
function environment(): Record<string, string> {
  const inherited = Object.entries(Deno.env.toObject());
  return Object.fromEntries(
    inherited.filter(([name]) => !name.startsWith("ETCD")),
  );
}
