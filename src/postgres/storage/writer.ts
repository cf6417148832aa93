/**
 * Carries out batches on a server.
 *
 * The invariants:
 * - Once a batch may have arrived, it is sent again under the same number until
 *   it is answered, and the server carries it out once. If no answer comes in
 *   time, its outcome is unclear.
 * - An error means that nothing was written.
 *
 * @module
 */
import { sleep } from "../../base/slice.ts";
import { StoreClosedError } from "../../contract/errors.ts";
import type { Limits } from "../../engine/limits.ts";
import { noVersionAfter } from "../../engine/last_number.ts";
import type { Batch, EntryName, Outcome } from "../../engine/write.ts";
import { Backoff } from "../../remote/backoff.ts";
import {
  decidedNames,
  failuresOf,
  outcomesUnknown,
  type PlannedWrite,
  planWrites,
  type RequestSize,
  type SeenEntry,
  type TakenWrite,
  takeWrites,
} from "../../remote/batch_plan.ts";
import { codeOf, Cut, isBusy, unavailable } from "../connection/failure.ts";
import type { Link, Query, Row } from "../connection/link.ts";
import type { Links } from "../connection/links.ts";
import { LAST_VERSION } from "../format/step.ts";
import { LOCK_CLASS, quoteLiteral } from "../format/triggers.ts";
import {
  type BatchAnswer,
  BatchSteps,
  outcomesOf,
  readAnswer,
} from "./batch.ts";
import { callOf, isLarge, WriteInParts } from "./parts.ts";
import { headOf, type Tables } from "./selection.ts";
import { singleWriteOf } from "./single_write.ts";

/** The largest total size of writes that share a call. */
const REQUEST: RequestSize = { weight: 256, bytes: 1024 * 1024 };

/** How long others may wait while this client decides, in ms. */
const DECIDING_MS = 5_000;

/** The settings of a writer. */
export interface WriterOptions {
  readonly tables: Tables;
  readonly links: Links;
  readonly limits: Limits;
  /** How many changes the log keeps. */
  readonly history: number;
  /** How long to wait for locks of others, and for an unreachable server, in ms. */
  readonly busyTimeout: number;
  readonly isDurable: boolean;
  /** Whether each call needs a transaction around it. */
  readonly needsTransaction: boolean;
  /** Called for each batch that was carried out. */
  onWritten(planned: readonly PlannedWrite[]): void;
}

/** The outcome of a batch that was sent. */
type Sent = { readonly answer: BatchAnswer } | { readonly unclear: unknown };

/** Writes of one store. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #id = crypto.randomUUID();
  readonly #write: string;
  readonly #writeOne: string;
  #link: Link | undefined;
  /** The number of the last batch. */
  #batch = 0;
  /** Grows while the server cannot be reached; else absent. */
  #trouble: Backoff | undefined;
  /** Another writer was faster, so the next decisions are made under the lock. */
  #isContended = false;
  /** The revision up to which the log was pruned last, as far as is known. */
  #pruned = 0;
  #head = 0;

  /** Takes the settings. */
  constructor(options: WriterOptions) {
    this.#options = options;
    const { schema } = options.tables;
    this.#write =
      `SELECT ${schema}.zestor_write($1::uuid, $2::bigint, $3::int, $4::boolean, $5::bigint,
      $6::int[], $7::int[], $8::text[], $9::text[], $10::bigint[], $11::int[], $12::int[],
      $13::bigint[], $14::text[], $15::int[], $16::bytea) AS answer`;
    this.#writeOne =
      `SELECT ${schema}.zestor_write_one($1::uuid, $2::bigint, $3::int, $4::boolean, $5::bigint,
      $6::text, $7::text, $8::int, $9::bigint, $10::bytea, $11::int, $12::bytea, $13::bigint) AS answer`;
  }

  /** Carries out a batch, as the engine port requires. */
  async write(batch: Batch): Promise<readonly Outcome[]> {
    if (this.#trouble) await this.#reachAgain(this.#trouble);
    const { limits, busyTimeout } = this.#options;
    const taken = takeWrites(batch, limits, REQUEST);
    if (taken.every(({ failure }) => failure)) return failuresOf(taken);
    const deadline = performance.now() + busyTimeout;
    try {
      for (;;) {
        const outcomes = await this.#tryNamed(taken, deadline);
        if (outcomes.length > 0) return outcomes;
        // The first decision was stale. Nothing was done, and all decisions are
        // made again.
        this.#isContended = true;
        if (performance.now() >= deadline) throw tooSlow();
      }
    } catch (error) {
      const failed = lastVersionOf(taken, error);
      if (failed) return [failed];
      if (!(error instanceof Cut)) throw error;
      this.#trouble ??= new Backoff();
      if (performance.now() < deadline) throw error;
      // They have waited long enough. The queue would wait as long again.
      return taken.map(({ write }) => ({
        type: "failed",
        error: unavailable(write.action, error),
      }));
    }
  }

  /** Pauses, then checks whether the server is there. */
  async #reachAgain(backoff: Backoff): Promise<void> {
    const { closed } = this.#options.links;
    await sleep(backoff.next(), closed);
    await this.#ask({ text: "SELECT 1" });
    this.#trouble = undefined;
  }

  /** Tries once, and again without names of statements if the server does not know them. */
  async #tryNamed(
    taken: readonly TakenWrite[],
    deadline: number,
  ): Promise<readonly Outcome[]> {
    try {
      return await this.#tryWrites(taken, deadline);
    } catch (error) {
      if (!this.#options.links.losesNames(error)) throw error;
      return await this.#tryWrites(taken, deadline);
    }
  }

  async #tryWrites(
    taken: readonly TakenWrite[],
    deadline: number,
  ): Promise<readonly Outcome[]> {
    const { limits } = this.#options;
    const names = decidedNames(taken);
    const isContended = names.length > 0 && this.#isContended;
    const locked = isContended ? await this.#lock(deadline) : undefined;
    this.#isContended = false;
    let planned: PlannedWrite[];
    try {
      const seen = await this.#see(names, locked);
      planned = planWrites(taken, names, seen, limits, REQUEST);
    } catch (error) {
      await rollBack(locked);
      throw error;
    }
    if (isQuestion(planned)) {
      await rollBack(locked);
      return await this.#answerHead(planned);
    }
    const sent = await this.#send(planned, deadline, locked);
    if ("unclear" in sent) {
      const { unclear } = sent;
      const failed = (action: string) => unavailable(action, unclear);
      return outcomesUnknown(planned, unclear, failed);
    }
    this.#head = sent.answer.head;
    this.#options.onWritten(planned);
    return outcomesOf(planned, sent.answer);
  }

  // The connection.

  async #connected(patience?: number): Promise<Link> {
    if (!this.#link || this.#link.isDead) {
      this.#link = await this.#options.links.open({}, { patience });
    }
    return this.#link;
  }

  async #ask(query: Query): Promise<Row[]> {
    return await this.#options.links.ask(await this.#connected(), query);
  }

  /** Begins a transaction, and takes the lock in it. */
  async #lock(deadline: number): Promise<Link> {
    const link = await this.#connected();
    const { kv } = this.#options.tables;
    try {
      await Promise.all([
        link.query(BEGIN),
        link.query({
          text:
            `SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)`,
          values: [String(left(deadline)), String(DECIDING_MS)],
        }),
        link.query({ text: `LOCK TABLE ${kv} IN ROW EXCLUSIVE MODE` }),
        link.query({
          text: `SELECT pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, ${
            quoteLiteral(kv)
          }::regclass::oid::int)`,
        }),
      ]);
      return link;
    } catch (error) {
      await rollBack(link);
      throw error;
    }
  }

  /** The server's entries under some names, at one moment. */
  async #see(
    names: readonly EntryName[],
    locked: Link | undefined,
  ): Promise<SeenEntry[]> {
    if (names.length === 0) return [];
    const query = {
      text: `SELECT named.place::int, e.value, e.version, e.revision
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS named (kind, key, place)
        JOIN ${this.#options.tables.kv} AS e ON e.kind = named.kind AND e.key = named.key
        WHERE e.expires_at IS NULL OR e.expires_at > clock_timestamp()`,
      values: [names.map(({ kind }) => kind), names.map(({ key }) => key)],
    };
    const rows = await (locked ? locked.query(query) : this.#ask(query));
    const seen: SeenEntry[] = names.map(() => MISSING);
    for (const { place, value, version, revision } of rows) {
      seen[place - 1] = { value, version, revision };
    }
    return seen;
  }

  /** Answers writes that only ask for the newest revision. */
  async #answerHead(planned: readonly PlannedWrite[]): Promise<Outcome[]> {
    const [{ head }] = await this.#ask({
      text: `SELECT ${headOf(this.#options.tables)} AS head`,
      values: [],
    });
    return planned.map(() => ({ type: "done", effects: [], revision: head }));
  }

  // Sending.

  /** Sends a batch until it is answered, or until the deadline. */
  async #send(
    planned: readonly PlannedWrite[],
    deadline: number,
    locked: Link | undefined,
  ): Promise<Sent> {
    const { links } = this.#options;
    const batch = ++this.#batch;
    const single = singleWriteOf(planned);
    const call = single ?? callOf(planned);
    const backoff = new Backoff();
    let mayHaveArrived = false;
    for (let first = locked;; first = undefined) {
      try {
        const link = first ?? await this.#connected(left(deadline));
        const isBegun = first !== undefined;
        if (call instanceof WriteInParts) {
          const args = [link, batch, call, deadline, isBegun] as const;
          return { answer: await this.#callInParts(...args) };
        }
        const query = call instanceof BatchSteps
          ? this.#stepsQuery(batch, call, deadline)
          : this.#query(this.#writeOne, batch, call, deadline);
        const answer = await this.#call(link, query, isBegun);
        return { answer };
      } catch (error) {
        mayHaveArrived ||= error instanceof Cut && error.mayHaveArrived;
        if (!mayHaveArrived && !links.isClosed) throw error;
        if (!mayHaveArrived) throw new StoreClosedError();
        const isOver = performance.now() >= deadline || links.isClosed;
        const mayTryAgain = error instanceof Cut || isBusy(error) ||
          links.losesNames(error);
        if (isOver || !mayTryAgain) {
          // It may still arrive, unless a batch with a later number arrives
          // first.
          this.#trouble = new Backoff();
          return { unclear: error };
        }
      }
      await sleep(backoff.next(deadline));
    }
  }

  async #call(
    link: Link,
    query: Query,
    isBegun: boolean,
  ): Promise<BatchAnswer> {
    const { links, needsTransaction } = this.#options;
    if (!isBegun && !needsTransaction) {
      const [{ answer }] = await links.ask(link, query);
      return readAnswer(answer);
    }
    const [, [{ answer }]] = await Promise.all([
      isBegun ? undefined : link.query(BEGIN),
      link.query(query),
      link.query({ text: "COMMIT" }),
    ]);
    return readAnswer(answer);
  }

  /** Sends a large write part by part, in one transaction. */
  async #callInParts(
    link: Link,
    batch: number,
    write: WriteInParts,
    deadline: number,
    isBegun: boolean,
  ): Promise<BatchAnswer> {
    const call = async (number: number | null, steps: BatchSteps) => {
      const query = this.#stepsQuery(number, steps, deadline);
      const [{ answer }] = await link.query(query);
      return readAnswer(answer);
    };
    try {
      if (!isBegun) await link.query(BEGIN);
      const known = await call(batch, new BatchSteps());
      const isDone = known.writes.length > 0;
      if (!isDone) await write.carryOut(batch, known.head, call);
      if (isDone || !write.isWhole) {
        await rollBack(link);
        return write.answer;
      }
    } catch (error) {
      await rollBack(link);
      // The commit was not sent.
      throw error instanceof Cut ? new Cut(false, error) : error;
    }
    await link.query({ text: "COMMIT" });
    return write.answer;
  }

  #stepsQuery(
    batch: number | null,
    steps: BatchSteps,
    deadline: number,
  ): Query {
    return this.#query(this.#write, batch, steps.parameters(), deadline);
  }

  #query(
    text: string,
    batch: number | null,
    parameters: unknown[],
    deadline: number,
  ): Query {
    return {
      text,
      values: [
        this.#id,
        batch,
        left(deadline),
        this.#options.isDurable,
        this.#takePruneTo(),
        ...parameters,
      ],
    };
  }

  /** The revision up to which to prune the log, if it is time. The log is pruned by tenths. */
  #takePruneTo(): number | null {
    const { history } = this.#options;
    const to = this.#head - history;
    if (to - this.#pruned < pruneStep(history)) return null;
    this.#pruned = to;
    return to;
  }
}

const BEGIN: Query = { text: "BEGIN ISOLATION LEVEL READ COMMITTED" };

async function rollBack(link: Link | undefined): Promise<void> {
  if (!link || link.isDead) return;
  await link.query({ text: "ROLLBACK" }).catch(() => {});
}

/** How many changes beyond its limit a log has when it is pruned. */
export function pruneStep(history: number): number {
  return Math.min(1_000, Math.ceil(history / 10));
}

const MISSING: SeenEntry = { value: undefined, version: 0, revision: 0 };

function left(deadline: number): number {
  return Math.max(1, Math.round(deadline - performance.now()));
}

/** No request is outstanding, so it is certain that nothing was written. */
function tooSlow(): Cut {
  return new Cut(
    false,
    new Error(
      "the server was too slow, or other writers changed the entries again and again",
    ),
  );
}

/** Whether the writes only ask for the newest revision. */
function isQuestion(planned: readonly PlannedWrite[]): boolean {
  return planned.every(({ decided: { checks, changes, end } }) =>
    end === "done" && checks.length === 0 && changes.length === 0
  );
}

/** The outcome of a write, alone in its batch, that would exceed an entry's largest version. */
function lastVersionOf(
  taken: readonly TakenWrite[],
  error: unknown,
): Outcome | undefined {
  const [{ changes }] = taken;
  if (taken.length > 1 || codeOf(error) !== LAST_VERSION) return undefined;
  const { detail } = error as { detail: string };
  const [after, kind, key]: [number, string, string] = JSON.parse(detail);
  const at = changes.length - 1 - after;
  const failure = noVersionAfter(kind, key);
  // A large write was sent in parts, and this was not the last one.
  return isLarge(changes)
    ? { type: "failed", error: failure }
    : { type: "failed", error: failure, at };
}
