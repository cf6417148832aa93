/**
 * The connections of a store: for each purpose some, opened when they are
 * needed, and again after a cut.
 *
 * @module
 */
import { unlessAborted } from "../../base/promises.ts";
import { StoreClosedError } from "../../contract/errors.ts";
import { sleep } from "../../base/slice.ts";
import { Backoff } from "../../remote/backoff.ts";
import type { Address } from "./address.ts";
import { Cut, isNameLost, unavailable } from "./failure.ts";
import {
  Link,
  type LinkListener,
  type Query,
  type Row,
  StatementNames,
} from "./link.ts";

/** How connections are made. */
export interface LinksOptions {
  readonly address: Address;
  /** For how long an answer is waited for, and a read is sent again after a cut, in ms. */
  readonly patience: number;
  /** How many connections reads share. */
  readonly size: number;
}

/** How a read is asked. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** For how long it is sent again after a cut, in ms. */
  readonly patience?: number;
}

/** Whether a link's server process still works on a statement. */
const IS_WORKING =
  "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND state = 'active') AS working";

/** The connections of one store. */
export class Links {
  readonly #options: LinksOptions;
  readonly #names = new StatementNames();
  readonly #open = new Set<Link>();
  /** Those that reads share, or the promise of one. */
  readonly #readers: (Link | Promise<Link>)[] = [];
  readonly #closed = new AbortController();

  /** Takes how they are made. */
  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Aborts when they close. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Opens a connection for one purpose; who has it closes it. */
  async open(
    listener: LinkListener = {},
    address: Address = this.#options.address,
  ): Promise<Link> {
    if (this.isClosed) throw new StoreClosedError();
    const { patience } = this.#options;
    // It may end before it is open.
    let link: Link | undefined = undefined;
    link = await Link.open({
      address,
      patience,
      names: this.#names,
      isWorking: (processId) => this.#isWorking(processId),
      ...listener,
      onEnd: () => {
        if (link) this.#open.delete(link);
        listener.onEnd?.();
      },
    });
    if (!link.isDead) this.#open.add(link);
    if (!this.isClosed) return link;
    await link.close();
    throw new StoreClosedError();
  }

  async #isWorking(processId: number): Promise<boolean> {
    const link = await Link.open({
      address: this.#options.address,
      patience: this.#options.patience,
      names: this.#names,
    });
    try {
      const [row] = await link.query({ text: IS_WORKING, values: [processId] });
      return row.working;
    } finally {
      await link.close();
    }
  }

  /** Reads: again after a cut, until it has been patient enough. */
  async read(
    query: Query,
    { signal, patience = this.#options.patience }: ReadOptions = {},
  ): Promise<Row[]> {
    signal?.throwIfAborted();
    const deadline = performance.now() + patience;
    let backoff: Backoff | undefined;
    for (;;) {
      // Another query, sent at the same time, may be the first to lose its name.
      const hadName = this.#names.areUsed;
      try {
        const asked = this.#ask(query);
        return await (signal ? unlessAborted(asked, signal) : asked);
      } catch (error) {
        if (this.isClosed) throw new StoreClosedError();
        if (isNameLost(error) && hadName) {
          this.#names.stop();
          continue;
        }
        if (!(error instanceof Cut)) throw error;
        if (performance.now() >= deadline) throw unavailable("read", error);
      }
      backoff ??= new Backoff();
      await sleep(backoff.next(deadline), signal ?? this.#closed.signal);
    }
  }

  /** Asks on a link of one's own; prepared statements lose their names if the server does not know them. */
  async ask(link: Link, query: Query): Promise<Row[]> {
    const hadName = this.#names.areUsed;
    try {
      return await link.query(query);
    } catch (error) {
      if (!isNameLost(error) || !hadName) throw error;
      this.#names.stop();
      return await link.query(query);
    }
  }

  async #ask(query: Query): Promise<Row[]> {
    const reader = this.#reader();
    // At once if there is a connection: a turn of the promises would cost each read.
    return await (reader instanceof Link ? reader : await reader).query(query);
  }

  /** The connection that has least to answer; a new one if all have something. */
  #reader(): Link | Promise<Link> {
    let best: Link | undefined;
    let opening: Promise<Link> | undefined;
    for (let i = this.#readers.length - 1; i >= 0; i--) {
      const reader = this.#readers[i];
      if (!(reader instanceof Link)) opening = reader;
      else if (reader.isDead) this.#readers.splice(i, 1);
      else if (!best || reader.pending < best.pending) best = reader;
    }
    if (best?.pending === 0) return best;
    if (!opening && this.#readers.length < this.#options.size) {
      opening = this.#openReader();
    }
    return best ?? opening!;
  }

  #openReader(): Promise<Link> {
    const opening = this.open();
    this.#readers.push(opening);
    const settle = (link?: Link) => {
      this.#readers.splice(
        this.#readers.indexOf(opening),
        1,
        ...(link ? [link] : []),
      );
    };
    opening.then(settle, () => settle());
    return opening;
  }

  /** Closes them all; what waits is cut. */
  async close(): Promise<void> {
    this.#closed.abort(new StoreClosedError());
    await Promise.allSettled(this.#readers);
    await Promise.all([...this.#open].map((link) => link.close()));
  }
}
