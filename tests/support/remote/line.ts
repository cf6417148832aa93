/**
 * The line between a client and the server: it takes its time, and is cut at
 * random, or as a test says.
 *
 * The invariant: nothing of it is left when it is closed, neither a timer nor
 * a promise that never settles.
 *
 * @module
 */
import { StoreClosedError } from "../../../src/contract/errors.ts";
import { Random } from "../random.ts";
import type {
  Answer,
  Ask,
  CallName,
  Failure,
  NewsListener,
  Reply,
} from "./protocol.ts";
import type { Server } from "./server.ts";
import { Timers } from "./timers.ts";

/**
 * Where a request is cut.
 *
 * - `"before"`: it never arrives.
 * - `"within"`: the server rolls its transaction back.
 * - `"after"`: the server has committed, and the answer is lost.
 * - `"late"`: the client hears of a cut, and the request arrives later.
 */
export type Cut = "before" | "within" | "after" | "late";

/** Each place where a request can be cut. */
export const CUTS: readonly Cut[] = ["before", "within", "after", "late"];

/** How a line is. */
export interface LineOptions {
  /** @default {a seed of its own} */
  readonly random?: Random;
  /** The longest time that a request, an answer or a notification takes, in ms. @default {5} */
  readonly longest?: number;
  /** The probability that a request, or a notification, is cut. @default {0} */
  readonly cuts?: number;
}

/** The line was cut. */
export class LineCut extends Error {
  /** Whether the request may have arrived. */
  readonly mayHaveArrived: boolean;

  /** Makes the error. */
  constructor(mayHaveArrived: boolean) {
    super(
      mayHaveArrived
        ? "the line to the server was cut"
        : "the server cannot be reached",
    );
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** The server's own error. */
export class ServerFailure extends Error {
  /** What the server said. */
  readonly failure: Failure;

  /** Makes the error. */
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** A client's line to the server. */
export class Line {
  readonly #server: Server;
  readonly #random: Random;
  readonly #longest: number;
  readonly #cuts: number;
  readonly #planned: (Cut | undefined)[] = [];
  readonly #travels = new Timers();
  readonly #pauses = new Timers();
  readonly #listening = new Set<Disposable>();
  #state: "open" | "cut" | "silent" | "closed" = "open";

  /** Makes a line to a server. */
  constructor(
    server: Server,
    { random = new Random("line"), longest = 5, cuts = 0 }: LineOptions = {},
  ) {
    this.#server = server;
    this.#random = random;
    this.#longest = longest;
    this.#cuts = cuts;
  }

  /** Whether it is closed. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** How many pauses run: requests on their way, and those that wait to be sent again. */
  get pending(): number {
    return this.#travels.size + this.#pauses.size;
  }

  /** Cuts the next requests there; `undefined` lets one through. */
  cutNext(...cuts: (Cut | undefined)[]): void {
    this.#planned.push(...cuts);
  }

  /** Cuts the line, until it is mended: what is on its way is lost. */
  cut(): void {
    this.#state = "cut";
    this.#travels.cut(new LineCut(true));
  }

  /** From here on nothing arrives, and nobody is told, until the line is mended. */
  silence(): void {
    this.#state = "silent";
  }

  /** Mends the line; what waited for an answer is cut. */
  mend(): void {
    if (this.#state === "silent") this.#travels.cut(new LineCut(true));
    this.#state = "open";
  }

  /** Sends a request, once. Rejects with `LineCut`, `ServerFailure` or the signal's reason. */
  async request<Name extends CallName>(
    name: Name,
    ask: Ask<Name>,
    signal?: AbortSignal,
  ): Promise<Answer<Name>> {
    if (this.isClosed) throw new StoreClosedError();
    if (this.#state === "cut") throw new LineCut(false);
    const sent = structuredClone(ask);
    const cut = this.#planned.length > 0
      ? this.#planned.shift()
      : this.#random.chance(this.#cuts)
      ? this.#random.pick(CUTS)
      : undefined;
    const reply = await this.#send(name, sent, cut, signal);
    if (!reply.ok) throw new ServerFailure(reply.failure);
    return reply.answer;
  }

  async #send<Name extends CallName>(
    name: Name,
    ask: Ask<Name>,
    cut: Cut | undefined,
    signal?: AbortSignal,
  ): Promise<Reply<Name>> {
    await this.#travel(signal);
    if (cut === "late") this.#deliverLater(name, ask);
    if (cut === "before" || cut === "late") throw new LineCut(true);
    const reply = await this.#server.handle(
      name,
      ask,
      cut === "within" ? cutTransaction : undefined,
    );
    await this.#travel(signal);
    if (cut === "after" || cut === "within") throw new LineCut(true);
    return structuredClone(reply);
  }

  /** Delivers a request whose client knows nothing of it any more. */
  #deliverLater<Name extends CallName>(name: Name, ask: Ask<Name>): void {
    this.#travel().then(
      () => this.#server.handle(name, ask),
      () => {},
    );
  }

  /** The time of one way. */
  async #travel(signal?: AbortSignal): Promise<void> {
    const ms = this.#random.below(this.#longest + 1);
    await this.#travels.sleep(ms, signal);
    while (this.#state === "silent") {
      await this.#travels.sleep(Infinity, signal);
    }
  }

  /** Hears of commits, as long as the line is open. A notification that is cut is lost. */
  listen(listener: NewsListener): Disposable {
    const listening = this.#server.listen((head) => {
      if (this.#state !== "open" || this.#random.chance(this.#cuts)) return;
      this.#travel().then(() => listener(head), () => {});
    });
    this.#listening.add(listening);
    return listening;
  }

  /** From here on no notification arrives. */
  deafen(): void {
    for (const listening of this.#listening) listening[Symbol.dispose]();
    this.#listening.clear();
  }

  /** Pauses, in ms, not past the end of the line. */
  pause(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.isClosed) return Promise.reject(new StoreClosedError());
    return this.#pauses.sleep(ms, signal);
  }

  /** Ends whatever is on its way, with `StoreClosedError`. */
  close(): void {
    this.#state = "closed";
    this.#travels.cut(new StoreClosedError());
    this.#pauses.cut(new StoreClosedError());
    this.deafen();
  }
}

function cutTransaction(): void {
  throw new LineCut(true);
}
