/**
 * One connection to a server. It sends queries at once, and gets the answers in
 * order.
 *
 * The invariants:
 * - It keeps the process running only while an answer is outstanding.
 * - It is dead after a cut, and everything that waited fails.
 *
 * @module
 */
// @ts-types="npm:@types/pg@^8"
import pg from "pg";
import { fromHex } from "../../base/byte_texts.ts";
import { platform } from "../../base/platform.ts";
import { unlessAborted } from "../../base/promises.ts";
import type { Address } from "./address.ts";
import { Cut, isCut, isNameLost, NameLost } from "./failure.ts";

/** A statement, and its parameters. */
export interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** A row, by column name. Bytes are a `Uint8Array`, and integers are numbers. */
// deno-lint-ignore no-explicit-any -- each statement has its own columns
export type Row = Record<string, any>;

/** The events of a link. */
export interface LinkListener {
  /** The link was open, and is dead now. */
  onEnd?(): void;
  /** A notification came on a channel that the link listens to. */
  onNotification?(channel: string, payload: string): void;
  /**
   * No answer has come for half of `patience`. Returns whether the server still
   * works on it; if not, the link is cut.
   */
  isWorking?(processId: number): Promise<boolean>;
}

/** The settings of a link. */
export interface LinkOptions extends LinkListener {
  readonly address: Address;
  /** How long to wait for a connection, in ms. */
  readonly connectPatience: number;
  /** After this time without an answer, a silent server counts as gone, in ms. */
  readonly patience: number;
  /** Ends the link, also while it connects. */
  readonly signal?: AbortSignal;
  /** The names of prepared statements, which follow from their texts. */
  readonly names: StatementNames;
}

/** The names of prepared statements. */
export class StatementNames {
  #areUsed = true;
  readonly #names = new Map<string, string>();

  /** From now on, statements have no names, because a pooler may lose them. */
  stop(): void {
    this.#areUsed = false;
  }

  /** Whether statements have names. */
  get areUsed(): boolean {
    return this.#areUsed;
  }

  /** The name of a statement, which is unique for its text. */
  of(text: string): string | undefined {
    if (!this.#areUsed) return undefined;
    let name = this.#names.get(text);
    if (!name) {
      name = `zestor_${this.#names.size}_${hash(text)}`;
      this.#names.set(text, name);
    }
    return name;
  }
}

/** Distinguishes texts, also from those of other programs behind the same pooler. */
function hash(text: string): string {
  let a = 5381, b = 52711;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a, 33) ^ code;
    b = Math.imul(b, 31) ^ code;
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

/** Parts of the client that its types lack. */
interface Client extends Pick<pg.Client, "connect" | "end" | "query" | "on"> {
  readonly processID: number;
  readonly connection: { readonly stream: { destroy(): void } };
  ref(): void;
  unref(): void;
}

/** A connection. */
export class Link {
  readonly #client: Client;
  readonly #options: LinkOptions;
  /** The time at which each outstanding query was sent, on the clock of `performance.now`. */
  readonly #sent: number[] = [];
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #isOpen = false;
  #isDead = false;

  private constructor(client: Client, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
    client.on("error", () => this.#die());
    client.on("end", () => this.#die());
    client.on("notification", ({ channel, payload = "" }) => {
      options.onNotification?.(channel, payload);
    });
  }

  /** Connects. Rejects with `Cut`, or with the server's error. */
  static async open(options: LinkOptions): Promise<Link> {
    const { address, connectPatience, signal } = options;
    signal?.throwIfAborted();
    let link: Link | undefined;
    const stop = () => link?.destroy();
    signal?.addEventListener("abort", stop);
    try {
      const client = new pg.Client({
        ...(address.url === undefined ? {} : { connectionString: address.url }),
        application_name: "zestor",
        types: { getTypeParser: parserOf },
        connectionTimeoutMillis: Math.max(1, connectPatience),
        keepAlive: true,
        pipeline: true,
      } as pg.ClientConfig) as unknown as Client;
      link = new Link(client, options);
      // A client that is destroyed while it connects may never report it.
      await unlessAborted(client.connect(), signal);
      client.unref();
      if (link.#isDead) throw new Cut(false);
      link.#isOpen = true;
      return link;
    } catch (error) {
      link?.destroy();
      signal?.throwIfAborted();
      throw asFailure(error, false);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Whether the link was cut or closed. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** The number of outstanding answers. */
  get pending(): number {
    return this.#sent.length;
  }

  /** The id of the server's process. */
  get processId(): number {
    return this.#client.processID;
  }

  /**
   * Sends a query. Rejects with `Cut` if the answer is lost, with `NameLost`,
   * or with the server's error.
   */
  async query({ text, values }: Query): Promise<Row[]> {
    if (this.#isDead) throw new Cut(false);
    const name = values && this.#options.names.of(text);
    this.#hold();
    try {
      const { rows } = await this.#client.query({
        text,
        values: values as unknown[],
        name,
      });
      return rows;
    } catch (error) {
      if (this.#isDead) throw new Cut(true, error);
      if (name !== undefined && isNameLost(error)) throw new NameLost(error);
      throw asFailure(error, true);
    } finally {
      this.#letGo();
    }
  }

  #hold(): void {
    if (this.#sent.length === 0) this.#client.ref();
    this.#sent.push(performance.now());
    if (this.#watchdog === undefined) this.#watch(this.#options.patience / 2);
  }

  #letGo(): void {
    this.#sent.shift();
    if (this.#sent.length === 0 && !this.#isDead) this.#client.unref();
  }

  /**
   * Checks after a while whether an answer is late. One timer serves many
   * queries, because a timer for each would cost more than the query.
   */
  #watch(ms: number): void {
    const timer = setTimeout(async () => {
      this.#watchdog = undefined;
      if (this.#sent.length === 0) return;
      const asked = performance.now();
      const waited = asked - this.#sent[0];
      const left = this.#options.patience / 2 - waited;
      if (left > 1) return this.#watch(left);
      const isWorking = await this.#isWorking();
      // The answer may have come meanwhile, and another query may be waiting.
      const isWatched = this.#isDead || this.#watchdog !== undefined;
      if (isWatched || this.#sent.length === 0) return;
      if (isWorking || this.#sent[0] > asked) {
        this.#watch(this.#options.patience / 2);
      } else this.destroy();
    }, ms);
    // While answers are outstanding, the connection keeps the process running,
    // not the timer.
    platform.unrefTimer(timer);
    this.#watchdog = timer;
  }

  async #isWorking(): Promise<boolean> {
    try {
      return await this.#options.isWorking?.(this.processId) ?? false;
    } catch {
      return false;
    }
  }

  #die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    clearTimeout(this.#watchdog);
    if (this.#isOpen) this.#options.onEnd?.();
  }

  /** Ends the link at once. Everything that waits is cut. */
  destroy(): void {
    this.#client.connection.stream.destroy();
    this.#die();
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    if (this.#isDead) return;
    if (this.#sent.length > 0) return this.destroy();
    this.#client.ref();
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS);
    try {
      await this.#client.end();
    } catch {
      // The connection is gone in any case.
    }
    clearTimeout(timer);
    this.#die();
  }
}

/**
 * The types of columns that a store reads, by their numbers in `pg_type`. All
 * others are read as text.
 */
function parserOf(type: number): (text: string) => unknown {
  switch (type) {
    case 16:
      return (text) => text === "t";
    case 17:
      return bytesOf;
    case 20: // Versions and revisions are safe integers.
    case 21:
    case 23:
      return Number;
    default:
      return String;
  }
}

function bytesOf(text: string): Uint8Array {
  return text.startsWith("\\x")
    ? fromHex(text.slice(2))
    // With bytea_output=escape.
    : new Uint8Array(pg.types.getTypeParser(17)(text));
}

/** How long closing may take, in ms. */
const GOODBYE_MS = 500;

function asFailure(error: unknown, mayHaveArrived: boolean): unknown {
  return isCut(error) ? new Cut(mayHaveArrived, error) : error;
}
