/**
 * The lines between the members of a cluster. A proxy stands in front of each
 * member, so a test can cut a member off from the others, in both directions,
 * without the rights of root.
 *
 * etcd sends the id of the sender in a header of each line, so a proxy knows it.
 *
 * @module
 */
import type { Member } from "./member.ts";

const CHUNK_BYTES = 64 * 1024;

/** A line from one member to another. */
interface Line {
  /** The id of the sender; `undefined` if the line does not name it. */
  readonly from: string | undefined;
  readonly to: number;
  close(): void;
}

/** A proxy for each member. Disposing of it closes all. */
export class PeerNetwork implements AsyncDisposable {
  /** The ports at which the members reach each other, by index. */
  readonly ports: readonly number[];
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #running: Promise<void>[] = [];
  readonly #lines = new Set<Line>();
  /** By the member's id in the header. */
  readonly #indexes = new Map<string, number>();
  readonly #isolated = new Set<number>();
  #healed = Promise.withResolvers<void>();

  /** Takes the ports at which the members listen. */
  constructor(targets: readonly number[]) {
    this.#listeners = targets.map(() =>
      Deno.listen({ hostname: "127.0.0.1", port: 0 })
    );
    this.ports = this.#listeners.map(({ addr }) => addr.port);
    this.#listeners.forEach((listener, to) => {
      this.#running.push(this.#accept(listener, to, targets[to]));
    });
  }

  /** Learns the ids of the members, which name the senders of lines. */
  async learn(members: readonly Member[]): Promise<void> {
    for (const [index, member] of members.entries()) {
      const { memberId } = await member.status();
      this.#indexes.set(BigInt(memberId).toString(16), index);
    }
  }

  /** Stops all bytes from a member and to it. The lines stay open and silent. */
  isolate(index: number): void {
    this.#isolated.add(index);
  }

  /** Ends the isolation. It cuts the silent lines, and the members make new ones. */
  heal(): void {
    const crossing = [...this.#lines].filter((line) => this.#isCut(line));
    this.#isolated.clear();
    for (const line of crossing) line.close();
    this.#healed.resolve();
    this.#healed = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    for (const line of this.#lines) line.close();
    this.heal();
    await Promise.all(this.#running);
  }

  /** Whether a line is cut. A line with an unknown sender may come from the isolated member. */
  #isCut({ from, to }: Line): boolean {
    if (this.#isolated.size === 0) return false;
    const caller = from && this.#indexes.get(from);
    return typeof caller !== "number" || this.#isolated.has(caller) ||
      this.#isolated.has(to);
  }

  async #accept(
    listener: Deno.TcpListener,
    to: number,
    target: number,
  ): Promise<void> {
    const served = new Set<Promise<void>>();
    for await (const caller of listener) {
      const serving = this.#serve(caller, to, target);
      served.add(serving);
      serving.finally(() => served.delete(serving));
    }
    await Promise.all(served);
  }

  async #serve(
    caller: Deno.TcpConn,
    to: number,
    target: number,
  ): Promise<void> {
    let callee: Deno.TcpConn | undefined;
    const line = {
      from: undefined as string | undefined,
      to,
      close() {
        closeIfOpen(caller);
        if (callee) closeIfOpen(callee);
      },
    };
    this.#lines.add(line);
    try {
      const first = new Uint8Array(CHUNK_BYTES);
      const length = await caller.read(first);
      if (length === null) return;
      const chunk = first.subarray(0, length);
      line.from = callerOf(chunk);
      await this.#passes(line);
      callee = await Deno.connect({ hostname: "127.0.0.1", port: target });
      caller.setNoDelay();
      callee.setNoDelay();
      await writeAll(callee, chunk);
      await Promise.all([
        this.#pump(caller, callee, line),
        this.#pump(callee, caller, line),
      ]);
    } catch {
      // One side has ended the line, or the test has.
    } finally {
      line.close();
      this.#lines.delete(line);
    }
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    line: Line,
  ): Promise<void> {
    try {
      const buffer = new Uint8Array(CHUNK_BYTES);
      for (;;) {
        const length = await from.read(buffer);
        if (length === null) return await to.closeWrite();
        await this.#passes(line);
        await writeAll(to, buffer.subarray(0, length));
      }
    } catch (error) {
      // The other pump still waits for its side.
      line.close();
      throw error;
    }
  }

  /** Resolves as soon as the line is not cut. */
  async #passes(line: Line): Promise<void> {
    while (this.#isCut(line)) await this.#healed.promise;
  }
}

/** The id of the sender, if the line names it. */
function callerOf(chunk: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(chunk);
  return /^X-Server-From: ([0-9a-f]+)\r$/mi.exec(text)?.[1].toLowerCase();
}

function closeIfOpen(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

async function writeAll(to: Deno.TcpConn, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += await to.write(chunk.subarray(done));
  }
}
