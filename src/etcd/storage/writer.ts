/**
 * Carries out batches on a cluster.
 *
 * The invariants:
 * - A transaction takes effect only if the record has not changed since its
 *   entries were read. So only one transaction can follow a record.
 * - If a transaction may have arrived, it is sent again until it is answered or
 *   the time is up. If etcd refuses it then, the next record shows whether the
 *   first request took effect.
 * - If a method rejects, nothing was written.
 *
 * @module
 */
import { sleep } from "../../base/slice.ts";
import { StoreClosedError, StoreTooLargeError } from "../../contract/errors.ts";
import { drawMark } from "../../engine/cursor.ts";
import type { Limits } from "../../engine/limits.ts";
import type {
  Batch,
  Change,
  EntryName,
  Outcome,
  RangeRemoval,
} from "../../engine/write.ts";
import { Backoff } from "../../remote/backoff.ts";
import {
  failuresOf,
  outcomesUnknown,
  type PlannedWrite,
  planWrites,
  type RequestSize,
  type SeenEntry,
  type TakenWrite,
  takeWrites,
} from "../../remote/batch_plan.ts";
import { isLive, type Kept } from "../format/envelope.ts";
import type { Keys } from "../format/keys.ts";
import type { LogRecord, PlacedRecord } from "../format/record.ts";
import { Conflict, Cut, unavailable } from "../gateway/failure.ts";
import { type Gateway, READ_OF_WRITER } from "../gateway/gateway.ts";
import type { Op } from "../gateway/messages.ts";
import { Committer, type Sent } from "./committer.ts";
import { Draft, idOf } from "./draft.ts";
import { removeRange } from "./range_removal.ts";
import { Sight } from "./sight.ts";
import type { Timeline } from "./timeline.ts";
import { roomOf } from "./transaction.ts";

/** The most that writes of one transaction have together. */
const REQUEST: RequestSize = { weight: 256, bytes: 768 * 1024 };

/** The most expired entries that one transaction removes. */
const EXPIRED_AT_ONCE = 200;

/** The parts and settings of a writer. */
export interface WriterOptions {
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly timeline: Timeline;
  readonly limits: Limits;
  /** The most bytes of a transaction. */
  readonly mostBytes: number;
  /** The cluster's `--max-txn-ops`. */
  readonly mostOps: number;
  /** How long a write is retried, in ms. */
  readonly busyTimeout: number;
  /** Called with the expiry of each entry that was written, in ms since 1970. */
  onExpiring(at: number): void;
}

/** Carries out the writes of one store. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #sight: Sight;
  readonly #committer: Committer;
  /** The pauses while the cluster cannot be reached; `undefined` if it can. */
  #trouble: Backoff | undefined;
  /** The work that runs: one at a time. */
  #running: Promise<unknown> = Promise.resolve();

  /** Takes its parts and settings. */
  constructor(options: WriterOptions) {
    this.#options = options;
    this.#sight = new Sight(options);
    this.#committer = new Committer(options);
  }

  /** Carries out a batch (see `Engine.write`). */
  write(batch: Batch): Promise<readonly Outcome[]> {
    return this.#alone(() => this.#write(batch));
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#running.then(work);
    this.#running = result.catch(() => {});
    return result;
  }

  async #write(batch: Batch): Promise<readonly Outcome[]> {
    if (this.#trouble) await this.#reachAgain(this.#trouble);
    const { limits, busyTimeout } = this.#options;
    const taken = takeWrites(batch, limits, REQUEST);
    if (taken.every(({ failure }) => failure)) return failuresOf(taken);
    const deadline = performance.now() + busyTimeout;
    const backoff = new Backoff(50, 2);
    let isFresh = false;
    try {
      for (;;) {
        const tried = await this.#try(taken, deadline, isFresh);
        if (tried !== "stale") return tried;
        // Another writer was faster, so nothing was written. All writes are
        // decided again.
        isFresh = true;
        if (performance.now() >= deadline) throw new Conflict();
        await sleep(backoff.next(deadline));
      }
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      this.#trouble ??= new Backoff();
      if (performance.now() < deadline) throw error;
      // The writes have waited for the whole timeout. If this threw, the queue
      // would wait as long again.
      return taken.map(({ write }) => ({
        type: "failed",
        error: unavailable(write.action, error),
      }));
    }
  }

  /** Pauses, then asks whether the cluster can be reached. */
  async #reachAgain(backoff: Backoff): Promise<void> {
    const { gateway, keys } = this.#options;
    await sleep(backoff.next(), gateway.closed);
    await gateway.call("kv/range", { key: keys.record });
    this.#trouble = undefined;
  }

  async #try(
    taken: readonly TakenWrite[],
    deadline: number,
    isFresh: boolean,
  ): Promise<readonly Outcome[] | "stale"> {
    const { limits } = this.#options;
    const range = rangeOf(taken);
    if (range) return await this.#tryRange(taken, range, deadline);
    const names = namesOf(taken);
    const sight = await this.#sight.of(names, isFresh);
    const time = Date.now();
    const seen = names.map((name) =>
      seenOf(sight.entries.get(idOf(name)), time)
    );
    const planned = planWrites(taken, names, seen, limits, REQUEST);
    const draft = new Draft(sight.record, time);
    for (const name of names) draft.see(name, sight.entries.get(idOf(name)));
    const { outcomes, carried } = this.#carryOut(draft, planned);
    if (outcomes.length === 0) return "stale";
    if (draft.head === sight.record.head) {
      // The writes change nothing. That is right only if the entries are current.
      const isTrue = sight.isFresh || await this.#sight.isNewest(sight.record);
      return isTrue ? outcomes : "stale";
    }
    const record = {
      first: sight.record.head + 1,
      head: draft.head,
      time,
      ...(draft.steps.length > 0 ? { steps: draft.steps } : {}),
    };
    const ops = draft.operations(this.#options.keys);
    const sent = await this.#commit(ops, record, sight.record, deadline);
    if (sent === "stale") return "stale";
    if ("unclear" in sent) {
      this.#sight.forget();
      return unclear(carried, sent.unclear);
    }
    this.#sight.note(sent.record, draft.left());
    this.#tellExpiring(draft);
    return outcomes;
  }

  /** Carries out as many writes as fit one transaction. */
  #carryOut(
    draft: Draft,
    planned: readonly PlannedWrite[],
  ): { outcomes: Outcome[]; carried: PlannedWrite[] } {
    const { mostBytes, mostOps } = this.#options;
    const outcomes: Outcome[] = [];
    const carried: PlannedWrite[] = [];
    for (const plan of planned) {
      const drafted = draft.carryOut(plan);
      if (!drafted) break;
      const { ops, bytes } = draft.size();
      const isTooLarge = bytes > mostBytes || ops > roomOf(mostOps);
      if (isTooLarge) {
        draft.takeBack();
        if (outcomes.length > 0) break;
        const error = tooLarge(plan, { ops, bytes }, this.#options);
        return { outcomes: [{ type: "failed", error }], carried: [plan] };
      }
      outcomes.push(drafted.outcome);
      carried.push(plan);
      if (!drafted.isAsPlanned) break;
    }
    return { outcomes, carried };
  }

  async #tryRange(
    taken: readonly TakenWrite[],
    range: RangeRemoval,
    deadline: number,
  ): Promise<readonly Outcome[] | "stale"> {
    const { gateway, keys } = this.#options;
    const plan = await removeRange(gateway, keys, range);
    const { record, removed, effect } = plan;
    const revision = record.head + removed;
    const outcomes: Outcome[] = [{ type: "done", effects: [effect], revision }];
    if (removed === 0) return outcomes;
    const next = {
      first: record.head + 1,
      head: revision,
      time: plan.time,
      isRange: true,
    };
    const sent = await this.#commit(plan.ops, next, record, deadline);
    if (sent === "stale") return "stale";
    this.#sight.forget();
    if (!("unclear" in sent)) return outcomes;
    return taken.slice(0, 1).map(() => ({
      type: "unclear",
      error: sent.unclear,
    }));
  }

  async #commit(
    ops: readonly Op[],
    record: Pick<LogRecord, "first" | "head" | "time" | "steps" | "isRange">,
    after: PlacedRecord,
    deadline: number,
  ): Promise<Sent | "stale"> {
    const full = { ...record, mark: drawMark(), before: after.at };
    return await this.#committer.commit(ops, full, deadline);
  }

  #tellExpiring(draft: Draft): void {
    for (const [, kept] of draft.left()) {
      if (kept?.expiresAt === undefined) continue;
      this.#options.onExpiring(kept.expiresAt);
    }
  }

  // Expired entries.

  /** Removes some expired entries. Returns whether there may be more. */
  removeExpired(): Promise<boolean> {
    return this.#alone(() => this.#removeExpired());
  }

  async #removeExpired(): Promise<boolean> {
    const { gateway, keys, busyTimeout } = this.#options;
    if (gateway.isClosed) throw new StoreClosedError();
    const time = Date.now();
    const { kvs = [], more = false } = await gateway.range({
      ...keys.due(time),
      limit: EXPIRED_AT_ONCE,
      keys_only: true,
    }, READ_OF_WRITER);
    if (kvs.length === 0) return false;
    const names = kvs.map(({ key }) => keys.expiringNameOf(key)!);
    const unique = [...new Map(names.map((it) => [idOf(it), it])).values()];
    const sight = await this.#sight.of(unique, true);
    const draft = new Draft(sight.record, time);
    for (const name of unique) draft.see(name, sight.entries.get(idOf(name)));
    for (const name of unique) draft.expire(name);
    // The entry of an index key may have another expiry now, or be deleted.
    const stale: Op[] = names
      .filter((name) => {
        const kept = sight.entries.get(idOf(name));
        return kept?.expiresAt !== name.expiresAt;
      })
      .map((name) => ({ request_delete_range: { key: keys.expiring(name) } }));
    const isEmpty = draft.head === sight.record.head;
    const ops = [...draft.operations(keys), ...stale];
    const deadline = performance.now() + Math.min(busyTimeout, 1_000);
    const sent = isEmpty
      ? await this.#committer.clear(ops, sight.record)
      : await this.#commit(
        ops,
        {
          first: sight.record.head + 1,
          head: draft.head,
          time,
          steps: draft.steps,
        },
        sight.record,
        deadline,
      );
    if (sent === "stale") throw new Conflict();
    if (!sent || "unclear" in sent) this.#sight.forget();
    else this.#sight.note(sent.record, draft.left());
    return more;
  }
}

function rangeOf(taken: readonly TakenWrite[]): RangeRemoval | undefined {
  const [{ changes, write }] = taken;
  const isRange = taken.length === 1 && changes.length === 1 &&
    write.checks.length === 0;
  const [change]: readonly Change[] = changes;
  return isRange && "range" in change ? change : undefined;
}

/** The entries that writes check or change. */
function namesOf(taken: readonly TakenWrite[]): EntryName[] {
  const names = new Map<string, EntryName>();
  const add = ({ kind, key }: EntryName) =>
    names.set(idOf({ kind, key }), { kind, key });
  for (const { write, changes, failure } of taken) {
    if (failure) continue;
    write.checks.forEach(add);
    for (const change of changes) if (!("range" in change)) add(change);
  }
  return [...names.values()];
}

function seenOf(kept: Kept | undefined, time: number): SeenEntry {
  return isLive(kept, time)
    ? { value: kept.value, version: kept.version, revision: kept.revision }
    : { value: undefined, version: 0, revision: 0 };
}

function unclear(planned: readonly PlannedWrite[], cause: unknown): Outcome[] {
  return outcomesUnknown(
    planned,
    cause,
    (action) => unavailable(action, cause),
  );
}

function tooLarge(
  { taken: { write } }: PlannedWrite,
  { ops, bytes }: { ops: number; bytes: number },
  { mostOps, mostBytes }: WriterOptions,
): StoreTooLargeError {
  const what = bytes > mostBytes
    ? `about ${bytes} bytes, but a transaction takes at most ${mostBytes}`
    : `${ops} operations, but a transaction takes at most ${roomOf(mostOps)}`;
  return new StoreTooLargeError(
    `Cannot ${write.action}: it has ${what}; make it smaller`,
  );
}
