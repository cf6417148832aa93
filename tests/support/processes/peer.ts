/**
 * Other processes that a test talks with: each calls one function of a module
 * beside this one, and is followed by what it tells, a message a line.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { denoRun } from "./deno_run.ts";
import type { ExpiryPrograms } from "./expiry_peer.ts";
import type { HistoryPrograms } from "./history_peer.ts";
import type { LifePrograms } from "./life_peer.ts";
import type { PostgresPrograms } from "./postgres_peer.ts";
import type { SqlPrograms } from "./sql_peer.ts";
import type { StorePrograms } from "./store_peer.ts";

/** What a peer hears of the operating system: all, nothing, or that it may not. */
export type Hearing = "notified" | "deaf" | "denied";

/** How a peer runs. */
export interface PeerOptions {
  /** What becomes of its file notifications. @default {"notified"} */
  hearing?: Hearing;
  /** The only files that it may read and write. @default {all} */
  files?: readonly string[];
}

/** The arguments of a program, by its name. */
type Arguments<Programs, Name extends keyof Programs> = Programs[Name] extends
  (args: infer Args) => unknown ? Args : never;

/** Starts a program that uses this package. */
export function startStorePeer<Name extends keyof StorePrograms & string>(
  name: Name,
  args: Arguments<StorePrograms, Name>,
  options?: PeerOptions,
): Peer {
  return startPeer("store_peer.ts", name, args, options);
}

/** Starts a program whose entries expire. */
export function startExpiryPeer<Name extends keyof ExpiryPrograms & string>(
  name: Name,
  args: Arguments<ExpiryPrograms, Name>,
  options?: PeerOptions,
): Peer {
  return startPeer("expiry_peer.ts", name, args, options);
}

/** Starts a program that writes the trace of a history. */
export function startHistoryPeer<Name extends keyof HistoryPrograms & string>(
  name: Name,
  args: Arguments<HistoryPrograms, Name>,
): Peer {
  return startPeer("history_peer.ts", name, args);
}

/** Starts a program that uses `node:sqlite`, and knows nothing of this package. */
export function startSqlPeer<Name extends keyof SqlPrograms & string>(
  name: Name,
  args: Arguments<SqlPrograms, Name>,
): Peer {
  return startPeer("sql_peer.ts", name, args);
}

/** Starts a program that writes to a schema of a server. */
export function startPostgresPeer<Name extends keyof PostgresPrograms & string>(
  name: Name,
  args: Arguments<PostgresPrograms, Name>,
): Peer {
  return startPeer("postgres_peer.ts", name, args);
}

/** Starts a program that has little to do, and may exit. */
export function startLifePeer<Name extends keyof LifePrograms & string>(
  name: Name,
  args: Arguments<LifePrograms, Name>,
): Peer {
  return startPeer("life_peer.ts", name, args);
}

/** Another process; `await using` ends it. */
export class Peer implements AsyncDisposable {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #errors: Promise<string>;
  #text = "";
  #hasExited = false;

  /** Takes a child, all of whose streams are piped, and what to call it. */
  constructor(name: string, child: Deno.ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.#output = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#input = child.stdin.getWriter();
    this.#errors = new Response(child.stderr).text();
    child.status.then(() => this.#hasExited = true);
  }

  /** What it tells next. Rejects if it exits before. */
  async next<Message = unknown>(): Promise<Message> {
    const line = await this.#line();
    if (line !== undefined) return JSON.parse(line) as Message;
    throw new Error(`${this.#name} told nothing more: ${await this.#ending()}`);
  }

  /** All that it tells until it exits, or is killed. */
  async *messages<Message = unknown>(): AsyncGenerator<Message> {
    for (;;) {
      const line = await this.#line();
      if (line === undefined) return;
      yield JSON.parse(line) as Message;
    }
  }

  /** Says something to it. */
  async say(message: unknown): Promise<void> {
    const line = JSON.stringify(message) + "\n";
    await this.#input.write(new TextEncoder().encode(line));
  }

  /** Says something to it, and gives its answer. */
  async ask<Message = unknown>(message: unknown): Promise<Message> {
    await this.say(message);
    return await this.next();
  }

  /** Tells it that there is nothing more to hear. */
  async hangUp(): Promise<void> {
    await this.#input.close();
  }

  /** Resolves when it has exited by itself; rejects if it failed, or had more to tell. */
  async exited(): Promise<void> {
    assertEquals(await this.#line(), undefined, `${this.#name} told more`);
    const { success } = await this.#child.status;
    const errors = await this.#errors;
    if (!success || errors !== "") {
      throw new Error(`${this.#name} failed: ${await this.#ending()}`);
    }
  }

  /** Ends it there and then, by a signal that it cannot handle. */
  async kill(): Promise<void> {
    if (!this.#hasExited) this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#output.cancel();
    await this.#input.close().catch(() => {});
    await this.#errors;
  }

  async #line(): Promise<string | undefined> {
    let end = this.#text.indexOf("\n");
    while (end < 0) {
      const { done, value } = await this.#output.read();
      if (done) return undefined;
      this.#text += value;
      end = this.#text.indexOf("\n");
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  async #ending(): Promise<string> {
    const { code, signal } = await this.#child.status;
    return `exit code ${code}, signal ${signal}\n${await this.#errors}`;
  }
}

function startPeer(
  module: string,
  name: string,
  args: unknown,
  { hearing = "notified", files }: PeerOptions = {},
): Peer {
  const permissions = files
    ? [`--allow-read=${files}`, `--allow-write=${files}`]
    : ["-A"];
  const child = denoRun(new URL(module, import.meta.url), {
    flags: ["--no-check", ...permissions],
    args: [name, JSON.stringify(args), hearing],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new Peer(`The peer "${name}"`, child);
}
