/**
 * An engine whose entries are on a server.
 *
 * The invariants:
 * - It never throws from `write` once a batch may have arrived: then it sends
 *   the same batch again, or answers that the outcome is unclear.
 * - After a failure it takes writes only if the server answers: those that wait
 *   have not begun, so that they can be aborted, and give up in their own time.
 *
 * @module
 */
import { reasonOf } from "../../../src/base/messages.ts";
import type { VerifyFinding } from "../../../src/contract/mod.ts";
import {
  StoreClosedError,
  StoreError,
  StoreOpenError,
  StoreUnavailableError,
  StoreUnsupportedError,
} from "../../../src/contract/errors.ts";
import type { Capabilities, Engine } from "../../../src/engine/engine.ts";
import type { Limits } from "../../../src/engine/limits.ts";
import type { PastView, Snapshot, View } from "../../../src/engine/view.ts";
import type { Batch, Outcome } from "../../../src/engine/write.ts";
import type { MaybePromise } from "../../../src/base/promises.ts";
import {
  decidedNames,
  failuresOf,
  outcomesUnknown,
  type PlannedWrite,
  planWrites,
  type RequestSize,
  type TakenWrite,
  takeWrites,
} from "../../../src/remote/batch_plan.ts";
import {
  Backoff,
  Client,
  errorOf,
  SnapshotGone,
  unavailable,
  Unreachable,
} from "./client.ts";
import { type Line, LineCut } from "./line.ts";
import type { Answer, Ask, BatchAnswer, WriteAnswer } from "./protocol.ts";
import { RemoteLog } from "./remote_log.ts";
import { RemotePast, RemoteSnapshot, RemoteView } from "./remote_view.ts";

/** How much one request takes. */
const REQUEST: RequestSize = { weight: 200, bytes: 1024 * 1024 };

/** For how long closing tries to tell the server, in ms. */
const BYE_MS = 50;

/** For how long it asks whether the server is there again, in ms. */
const PING_MS = 500;

/** What became of a batch that was sent. */
type Sent = { readonly answer: BatchAnswer } | { readonly unclear: unknown };

/** How an engine works. */
export interface RemoteEngineOptions {
  /** For how long a request is sent again after a cut, in ms. @default {5000} */
  readonly busyTimeout?: number;
  /** How often a watch that waits looks at the log, in ms. @default {100} */
  readonly sweepInterval?: number;
}

/** An engine on a line to a server. */
export class RemoteEngine extends RemoteView implements Engine {
  readonly limits: Limits;
  readonly capabilities: Capabilities = { verify: false };
  readonly isReadOnly = false;
  readonly log: RemoteLog;
  readonly #line: Line;
  readonly #client: Client;
  readonly #patience: number;
  readonly #listening: Disposable;
  /** The number of the last batch. */
  #batch = 0;
  /** Grows while the server does not answer; absent if all is well. */
  #trouble: Backoff | undefined;

  private constructor(
    line: Line,
    client: Client,
    { history, limits }: Answer<"hello">,
    patience: number,
    sweepInterval: number,
  ) {
    super(client);
    this.limits = limits;
    this.#line = line;
    this.#client = client;
    this.#patience = patience;
    const log = this.log = new RemoteLog(client, history, sweepInterval);
    this.#listening = line.listen((head) => log.note(head));
  }

  /** Opens an engine on a line, which it closes. */
  static async open(
    line: Line,
    { busyTimeout = 5_000, sweepInterval = 100 }: RemoteEngineOptions = {},
    signal?: AbortSignal,
  ): Promise<RemoteEngine> {
    const client = new Client(line, busyTimeout);
    try {
      const ask = { client: client.id };
      const hello = await client.ask("hello", ask, signal);
      return new RemoteEngine(
        line,
        client,
        hello,
        busyTimeout,
        sweepInterval,
      );
    } catch (cause) {
      line.close();
      signal?.throwIfAborted();
      throw new StoreOpenError(
        `Cannot open the store: ${reasonOf(cause)}`,
        { cause },
      );
    }
  }

  assertWritable(): void {}

  assertWatchable(): void {}

  // Writes.

  async write(batch: Batch): Promise<readonly Outcome[]> {
    if (this.#trouble) await this.#reachAgain(this.#trouble);
    const taken = takeWrites(batch, this.limits, REQUEST);
    if (taken.every(({ failure }) => failure)) return failuresOf(taken);
    const deadline = performance.now() + this.#patience;
    try {
      for (;;) {
        const outcomes = await this.#tryWrites(taken, deadline);
        if (outcomes.length > 0) return outcomes;
        // The first decision was stale: nothing is done, all are made anew.
        assertInTime(deadline);
      }
    } catch (error) {
      const isOver = performance.now() >= deadline;
      if (!isOver || !(error instanceof Unreachable)) throw error;
      // They have waited long enough: the queue would wait as long again.
      return taken.map(({ write }) => ({
        type: "failed",
        error: unavailable(write.action, error),
      }));
    }
  }

  /** Pauses, then asks whether the server is there. */
  async #reachAgain(backoff: Backoff): Promise<void> {
    await this.#client.pause(backoff);
    const deadline = performance.now() + Math.min(PING_MS, this.#patience);
    await this.#askBefore("ping", { client: this.#client.id }, deadline);
    this.#trouble = undefined;
  }

  async #tryWrites(
    taken: readonly TakenWrite[],
    deadline: number,
  ): Promise<readonly Outcome[]> {
    const names = decidedNames(taken);
    const seen = names.length === 0
      ? []
      : await this.#askBefore("see", { names }, deadline);
    assertInTime(deadline);
    const planned = planWrites(taken, names, seen, this.limits, REQUEST);
    const sent = await this.#send(planned, deadline);
    if ("unclear" in sent) {
      const { unclear } = sent;
      const failed = (action: string) => unavailable(action, unclear);
      return outcomesUnknown(planned, unclear, failed);
    }
    this.log.note(sent.answer.head);
    return outcomesOf(planned, sent.answer.writes);
  }

  /** Asks once, before anything was sent: if it is cut, nothing was written. */
  async #askBefore<Name extends "ping" | "see">(
    name: Name,
    ask: Ask<Name>,
    deadline: number,
  ): Promise<Answer<Name>> {
    try {
      return await this.#client.askOnce(name, ask, deadline);
    } catch (error) {
      throw this.#asUnreachable(error);
    }
  }

  #asUnreachable(error: unknown): unknown {
    if (!(error instanceof LineCut)) return error;
    this.#trouble ??= new Backoff();
    return new Unreachable(error.message, { cause: error });
  }

  /** Sends a batch until it is answered, or the deadline has passed. */
  async #send(
    planned: readonly PlannedWrite[],
    deadline: number,
  ): Promise<Sent> {
    const ask = {
      client: this.#client.id,
      batch: ++this.#batch,
      writes: planned.map(({ decided }) => decided),
    };
    const backoff = new Backoff();
    let mayHaveArrived = false;
    if (this.#client.isClosed) throw new StoreClosedError();
    for (;;) {
      try {
        return { answer: await this.#client.askOnce("write", ask, deadline) };
      } catch (error) {
        mayHaveArrived ||= mayArrive(error);
        if (!mayHaveArrived) throw this.#asUnreachable(error);
        const isOver = performance.now() >= deadline;
        if (isOver || !(error instanceof LineCut)) {
          // It may still arrive, unless a batch with a later number is first.
          this.#trouble = new Backoff();
          return { unclear: error };
        }
      }
      await this.#client.pause(backoff, deadline).catch(() => {});
    }
  }

  headNow(): undefined {
    return undefined;
  }

  // Reads of one moment.

  async together<T>(
    read: (view: View) => MaybePromise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (;;) {
      const snapshot = await RemoteSnapshot.open(this.#client, signal);
      try {
        return await read(snapshot);
      } catch (error) {
        // The server was restarted, and forgot it.
        if (!(error instanceof SnapshotGone)) throw error;
      } finally {
        snapshot.close();
      }
    }
  }

  openSnapshot(signal?: AbortSignal): Promise<Snapshot> {
    return RemoteSnapshot.open(this.#client, signal);
  }

  openPast(
    at?: number,
    time?: number,
    signal?: AbortSignal,
  ): Promise<PastView> {
    return RemotePast.open(this.#client, { at, time }, signal);
  }

  verify(): Promise<VerifyFinding[]> {
    return Promise.reject(
      new StoreUnsupportedError("Cannot verify: the server has no such call"),
    );
  }

  // Errors, and the end.

  isBusy(error: unknown): boolean {
    return error instanceof Unreachable;
  }

  errorOf(action: string, error: unknown): unknown {
    if (error instanceof Unreachable) return unavailable(action, error);
    // A read knows only that it is one.
    if (error instanceof StoreUnavailableError) {
      return unavailable(action, error.cause);
    }
    if (error instanceof SnapshotGone) {
      return new StoreError(
        "STORAGE",
        `Cannot ${action}: the server has forgotten the snapshot; begin again`,
        { cause: error },
      );
    }
    return error;
  }

  async close(): Promise<void> {
    this.#listening[Symbol.dispose]();
    const ask = { client: this.#client.id };
    // A server that cannot be reached forgets the client in its own time.
    await this.#client.ask("bye", ask, undefined, BYE_MS).catch(() => {});
    this.#line.close();
    this.log.close();
  }
}

/** What became of the writes that the server answered for. */
function outcomesOf(
  planned: readonly PlannedWrite[],
  answers: readonly WriteAnswer[],
): Outcome[] {
  return answers.map((answer, i) => outcomeOf(planned[i], answer));
}

function outcomeOf(
  { taken, failure }: PlannedWrite,
  answer: WriteAnswer,
): Outcome {
  switch (answer.type) {
    case "done":
      return answer;
    case "refused": {
      const { check, found } = answer;
      return { type: "refused", check: taken.write.checks[check], found };
    }
    case "failed": {
      const { failure, at } = answer;
      return { type: "failed", error: errorOf(failure), at };
    }
    case "confirmed":
      return { type: "failed", ...failure! };
  }
}

/** Throws after the deadline. Nothing is on its way, so it is certain that nothing was written. */
function assertInTime(deadline: number): void {
  if (performance.now() < deadline) return;
  throw new Unreachable(
    "the server was too slow, or other writers changed the entries again and again",
  );
}

/** Whether a request that failed so may have arrived, and may still arrive. */
function mayArrive(error: unknown): boolean {
  return error instanceof LineCut
    ? error.mayHaveArrived
    : error instanceof StoreClosedError;
}
