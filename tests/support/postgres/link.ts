/**
 * One connection through a proxy: two pumps, which ask before each chunk what
 * fault it has to have.
 *
 * @module
 */
import { Random } from "../random.ts";

/** What a client sends, and what the server sends. */
export type Direction = "request" | "answer";

/** How often a chunk is lost, and its connection cut: from 0 to 1. */
export type Losses = Readonly<Partial<Record<Direction, number>>>;

/** What a proxy has done so far. */
export interface ProxyCounts {
  /** Connections that it accepted. */
  connections: number;
  /** Connections that it cut. */
  cuts: number;
  /** Chunks that it forwarded. */
  requests: number;
  /** Chunks that it forwarded. */
  answers: number;
  /** Chunks that it holds back now, as it is silent or slow. */
  held: number;
}

/** The faults that all connections of a proxy have in common. */
export interface Faults {
  losses: Losses;
  delay: number;
  /** Pending while the proxy is silent. */
  silence: Promise<void> | undefined;
  /** Says if the proxy has to lose a chunk, instead of forwarding it. */
  loses(direction: Direction, chunk: Uint8Array): boolean;
  counts: ProxyCounts;
}

const CHUNK_BYTES = 64 * 1024;

/** A client's connection and that to the server. */
export class Link {
  readonly #client: Deno.TcpConn;
  readonly #faults: Faults;
  readonly #cut = Promise.withResolvers<void>();
  /** Each direction has its own numbers: they depend on its chunks only. */
  readonly #random: Record<Direction, Random | undefined>;
  #server: Deno.TcpConn | undefined;
  #isCut = false;

  constructor(
    client: Deno.TcpConn,
    faults: Faults,
    random: Random | undefined,
    number: number,
  ) {
    this.#client = client;
    this.#faults = faults;
    const randomFor = (direction: Direction) =>
      random && new Random(`${random.seed} ${number} ${direction}`);
    this.#random = {
      request: randomFor("request"),
      answer: randomFor("answer"),
    };
  }

  /** Ends both connections, as soon as it is called. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#faults.counts.cuts++;
    this.#cut.resolve();
    this.#close();
  }

  /** Connects to the server and forwards until both sides have ended, or the cut. */
  async run(target: number): Promise<void> {
    try {
      this.#server = await Deno.connect({
        hostname: "127.0.0.1",
        port: target,
      });
      if (this.#isCut) return;
      this.#client.setNoDelay();
      this.#server.setNoDelay();
      await Promise.all([
        this.#pump(this.#client, this.#server, "request"),
        this.#pump(this.#server, this.#client, "answer"),
      ]);
    } catch {
      // One side has cut the connection, so the other loses it too.
    } finally {
      this.#close();
    }
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    direction: Direction,
  ): Promise<void> {
    try {
      const buffer = new Uint8Array(CHUNK_BYTES);
      for (;;) {
        const length = await from.read(buffer);
        if (length === null) return await to.closeWrite();
        const chunk = buffer.subarray(0, length);
        await this.#hold();
        if (this.#loses(direction, chunk)) return this.cut();
        await writeAll(to, chunk);
        this.#faults.counts[`${direction}s`]++;
      }
    } catch (error) {
      // The other pump still waits for its side.
      this.#close();
      throw error;
    }
  }

  /** Waits as long as the faults ask for. A cut ends the wait. */
  async #hold(): Promise<void> {
    this.#faults.counts.held++;
    await this.#wait();
    this.#faults.counts.held--;
  }

  async #wait(): Promise<void> {
    while (this.#faults.silence && !this.#isCut) {
      await Promise.race([this.#faults.silence, this.#cut.promise]);
    }
    if (this.#faults.delay === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#faults.delay);
    });
    await Promise.race([late, this.#cut.promise]);
    clearTimeout(timer);
  }

  #loses(direction: Direction, chunk: Uint8Array): boolean {
    if (this.#isCut || this.#faults.loses(direction, chunk)) return true;
    const probability = this.#faults.losses[direction] ?? 0;
    return this.#random[direction]?.chance(probability) ?? false;
  }

  #close(): void {
    closeIfOpen(this.#client);
    if (this.#server) closeIfOpen(this.#server);
  }
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
