/**
 * One etcd server: a process with a folder. It can be killed, started again,
 * paused and resumed.
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
import { unlinkMemory } from "./memory_dir.ts";

/** A server. Disposing of it ends it and removes its files. */
export interface Member extends CallTarget, AsyncDisposable {
  readonly name: string;
  /** The port for clients. */
  readonly port: number;
  readonly dir: string;
  /** If its process is there and not paused. */
  readonly isUp: boolean;
  /** What it says of itself. */
  status(): Promise<Status>;
  /** Starts it, again if it was killed; does not wait until it answers. */
  launch(): Promise<void>;
  /** Resolves when it answers, and follows a leader. */
  ready(): Promise<void>;
  /** Starts it again, and waits until it follows a leader. */
  start(): Promise<void>;
  /** Ends it by SIGKILL, as in a crash. The data stay. */
  kill(): Promise<void>;
  /** Stops it where it is, by SIGSTOP: its connections stay open, and are silent. */
  pause(): Promise<void>;
  /** Lets it go on. */
  resume(): Promise<void>;
}

/** What a member is started with. */
export interface MemberOptions {
  readonly binary: EtcdProgram;
  readonly name: string;
  readonly port: number;
  /** The flags apart from the folder of the data. */
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
        // New versions tell their state only to users.
        ({ message }) => /user name is empty/.test(message),
      );
    });
  }

  async start(): Promise<void> {
    await until(`etcd ${this.name} has started`, async () => {
      await this.launch();
      return await this.ready().then(() => true, (error) => {
        // What is left of the one that was killed may have the port still.
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
    await unlinkMemory(this.dir, "data");
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
