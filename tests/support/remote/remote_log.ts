/**
 * The change log of a server, as a watch sees it.
 *
 * A notification is a hint, the sweep is the guarantee. The invariants:
 * - A watch never waits for a change that a notification told of before the
 *   wait began.
 * - If the server is put back, a watch does not wait for long, whatever the
 *   server's newest revision is then.
 *
 * @module
 */
import type { ChangePage } from "../../../src/engine/entries.ts";
import type {
  ChangeFilter,
  ChangeLog,
  Wait,
} from "../../../src/engine/change_log.ts";
import type { Cursor } from "../../../src/engine/cursor.ts";
import type { Client } from "./client.ts";

/** A watch that waits. */
interface Waiter {
  readonly wait: Wait;
  wake(): void;
}

/** The log of a server. */
export class RemoteLog implements ChangeLog {
  readonly bookmarkInterval: number;
  readonly canBePutBack = true;
  readonly #client: Client;
  readonly #sweepInterval: number;
  readonly #waiting = new Set<Waiter>();
  /** The newest revision that anything told of, since the server was put back. */
  #newest = 0;
  #sweep: {
    readonly timer: ReturnType<typeof setTimeout>;
    readonly persistent: boolean;
  } | undefined;
  #isSweeping = false;

  /** Takes the client, how many changes the server keeps, and how often to look, in ms. */
  constructor(client: Client, history: number, sweepInterval: number) {
    this.#client = client;
    this.#sweepInterval = sweepInterval;
    this.bookmarkInterval = Math.max(1, Math.floor(history / 4));
  }

  /** How many watches wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async head(): Promise<number> {
    return (await this.#client.ask("head", undefined)).revision;
  }

  newest(): Promise<number> {
    return this.head();
  }

  oldest(): Promise<number> {
    return this.#client.ask("oldest", undefined);
  }

  markOf(revision: number): Promise<number | undefined> {
    return this.#client.ask("markOf", { revision });
  }

  async read(
    filter: ChangeFilter,
    after: number,
    limit: number,
    mark?: number,
  ): Promise<ChangePage> {
    const newest = this.#newest;
    const ask = { filter, after, limit, mark };
    const page = await this.#client.ask("changes", ask);
    // The server had told of more before it was asked: it was put back.
    const isLess = page.cursor === after && after < newest;
    if (isLess && this.#newest === newest) this.#newest = after;
    return page;
  }

  readBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
    mark?: number,
  ): Promise<ChangePage> {
    const ask = { filter, before, after, limit, mark };
    return this.#client.ask("changesBack", ask);
  }

  wait(wait: Wait): Promise<number> {
    const { after, signal } = wait;
    const isBehind = after < this.#newest;
    if (signal.aborted || isBehind || this.#client.isClosed) {
      return Promise.resolve(after);
    }
    const { promise, resolve } = Promise.withResolvers<number>();
    const wake = () => {
      this.#waiting.delete(waiter);
      signal.removeEventListener("abort", wake);
      resolve(after);
      this.#planSweep();
    };
    const waiter: Waiter = { wait, wake };
    this.#waiting.add(waiter);
    signal.addEventListener("abort", wake);
    this.#planSweep();
    return promise;
  }

  /** Tells of the newest revision, whoever knows it. */
  note(head: number): void {
    this.#newest = Math.max(this.#newest, head);
    for (const { wait, wake } of this.#waiting) {
      if (wait.after < this.#newest) wake();
    }
  }

  /** Plans the next look, as long as somebody waits. */
  #planSweep(): void {
    const persistent = this.#isPersistent();
    const isWanted = this.#waiting.size > 0 && !this.#isSweeping;
    if (this.#sweep && isWanted && this.#sweep.persistent === persistent) {
      return;
    }
    clearTimeout(this.#sweep?.timer);
    this.#sweep = undefined;
    if (!isWanted) return;
    const timer = setTimeout(() => this.#look(), this.#sweepInterval);
    if (!persistent) Deno.unrefTimer(timer);
    this.#sweep = { timer, persistent };
  }

  #isPersistent(): boolean {
    for (const { wait } of this.#waiting) if (wait.persistent) return true;
    return false;
  }

  async #look(): Promise<void> {
    this.#sweep = undefined;
    this.#isSweeping = true;
    try {
      const deadline = performance.now() + this.#sweepInterval;
      const head = await this.#client.askOnce("head", undefined, deadline);
      this.note(head.revision);
      for (const { wait, wake } of this.#waiting) {
        if (!isCaughtUp(wait, head)) wake();
      }
    } catch {
      // The next look comes soon.
    }
    this.#isSweeping = false;
    this.#planSweep();
  }

  /** Ends every wait. */
  close(): void {
    for (const { wake } of this.#waiting) wake();
  }
}

/** Whether a watch that waits has nothing to read: no change, and no word that the server was put back. */
function isCaughtUp({ after, mark }: Wait, head: Cursor): boolean {
  const isSame = mark === undefined || head.mark === undefined ||
    head.mark === mark;
  return after === head.revision && isSame;
}
