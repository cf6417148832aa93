/**
 * The server's writes: a batch is one transaction, carried out in order.
 *
 * The invariants:
 * - A batch is carried out once, however often and however late it arrives.
 * - A write's decisions take effect only if their client saw what is there
 *   before the write.
 * - The first stale write ends the batch: nothing from it on is done.
 *
 * @module
 */
import { equalBytes } from "../../../src/base/bytes.ts";
import { StoreError } from "../../../src/contract/errors.ts";
import type { Limits } from "../../../src/engine/limits.ts";
import type { Change, EntryName } from "../../../src/engine/write.ts";
import { carryOut, ChangeError, holds } from "../../../src/local/carry_out.ts";
import { LogPruner } from "../../../src/local/revisions.ts";
import type { MemoryStorage } from "../../../src/memory/memory_storage.ts";
import type {
  DecidedChange,
  DecidedEntryChange,
  DecidedWrite,
  SeenEntry,
  TimeSpan,
} from "../../../src/remote/batch_plan.ts";
import type { Ask, BatchAnswer, WriteAnswer } from "./protocol.ts";

/** What a test does inside a batch's transaction. If it throws, the transaction is rolled back. */
export type WithinTransaction = () => void;

interface LastBatch {
  readonly batch: number;
  readonly answer: BatchAnswer;
}

/** Carries out batches on a storage. */
export class ServerWrites {
  readonly #storage: MemoryStorage;
  readonly #pruner: LogPruner;
  readonly #limits: Limits;
  readonly #onCommit: (head: number) => void;
  /** The last batch of each client. Of an older one, the client knows the answer. */
  readonly #last = new Map<string, LastBatch>();

  /** Takes the storage, how many changes its log keeps, its limits, and who hears of a commit. */
  constructor(
    storage: MemoryStorage,
    { history, limits }: { history: number; limits: Limits },
    onCommit: (head: number) => void,
  ) {
    this.#storage = storage;
    this.#pruner = new LogPruner(storage, history);
    this.#limits = limits;
    this.#onCommit = onCommit;
  }

  /** Carries out a batch, unless it has done so before. */
  run(
    { client, batch, writes }: Ask<"write">,
    within?: WithinTransaction,
  ): BatchAnswer {
    const last = this.#last.get(client);
    if (last && batch < last.batch) throw superseded(batch);
    if (last?.batch === batch) return last.answer;
    const before = this.#storage.headRevision();
    const answer = this.#runTransaction(writes, within);
    this.#last.set(client, { batch, answer });
    if (answer.head > before) this.#onCommit(answer.head);
    return answer;
  }

  /** What is there. */
  see({ kind, key }: EntryName): SeenEntry {
    const entry = this.#storage.getEntry(kind, key);
    if (!entry) return { value: undefined, version: 0, revision: 0 };
    const { value, version, revision } = entry;
    return { value, version, revision };
  }

  /** Forgets a client: it sends no batch again. */
  forget(client: string): void {
    this.#last.delete(client);
  }

  /** Forgets the batches that made changes past a revision. */
  putBack(revision: number): void {
    for (const [client, { answer }] of this.#last) {
      if (answer.head > revision) this.#last.delete(client);
    }
  }

  /** Removes everything that has expired. */
  removeExpired(): void {
    const before = this.#storage.headRevision();
    this.#inTransaction(() => this.#storage.removeExpired(Infinity));
    const head = this.#storage.headRevision();
    if (head > before) this.#onCommit(head);
  }

  #runTransaction(
    writes: readonly DecidedWrite[],
    within: WithinTransaction | undefined,
  ): BatchAnswer {
    return this.#inTransaction((time) => {
      const answers = this.#runWrites(writes, time);
      within?.();
      return { writes: answers, head: this.#storage.headRevision() };
    });
  }

  #inTransaction<T>(work: (time: TimeSpan) => T): T {
    const before = this.#storage.headRevision();
    // Its one time is in between.
    const from = Date.now();
    this.#storage.begin();
    const time = { from, until: Date.now() };
    try {
      const result = work(time);
      this.#pruner.prune(before, this.#storage.headRevision());
      this.#storage.commit();
      return result;
    } catch (error) {
      this.#storage.rollBack();
      throw error;
    }
  }

  #runWrites(writes: readonly DecidedWrite[], time: TimeSpan): WriteAnswer[] {
    const answers: WriteAnswer[] = [];
    for (const write of writes) {
      const answer = this.#runWrite(write, time);
      if (!answer) break;
      answers.push(answer);
    }
    return answers;
  }

  /** Runs a write; gives nothing if a decision is stale. Nothing of it is done before its conditions hold. */
  #runWrite(write: DecidedWrite, now: TimeSpan): WriteAnswer | undefined {
    const refused = this.#refusalOf(write);
    if (refused) return refused;
    if (write.end === "stale" || !this.#isAsSeen(write, now)) return undefined;
    if (write.end === "fails") return { type: "confirmed" };
    this.#storage.save();
    const answer = this.#change(write);
    if (answer.type !== "done") this.#storage.undo();
    this.#storage.release();
    return answer;
  }

  #refusalOf({ checks }: DecidedWrite): WriteAnswer | undefined {
    for (const [i, check] of checks.entries()) {
      const found = this.#storage.getState(check.kind, check.key);
      if (!holds(check, found)) return { type: "refused", check: i, found };
    }
  }

  #isAsSeen({ seen, time }: DecidedWrite, now: TimeSpan): boolean {
    if (time && (now.from < time.from || now.until >= time.until)) return false;
    return seen.every(({ kind, key, value }) =>
      isSame(this.#storage.getValue(kind, key), value)
    );
  }

  #change({ changes }: DecidedWrite): WriteAnswer {
    const steps = carryOut(this.#storage, {
      action: "write",
      checks: [],
      size: () => changes.length,
      changes: () => changes.values().map((change) => this.#toChange(change)),
    });
    try {
      for (;;) {
        const step = steps.next();
        if (step.done) return step.value as WriteAnswer;
      }
    } catch (error) {
      if (!(error instanceof ChangeError)) throw error;
      const { cause, at } = error;
      if (!(cause instanceof StoreError)) throw cause;
      const { code, message } = cause;
      return { type: "failed", failure: { code, message }, at };
    }
  }

  /** Whoever asks what was removed has decided it: the server tells that of decisions alone. */
  #toChange(change: DecidedChange): Change {
    if ("range" in change) return change;
    assertFits(change, this.#limits);
    return change.mayRemove ? { ...change, next: () => change.next } : change;
  }
}

function isSame(value?: Uint8Array, seen?: Uint8Array): boolean {
  return value === undefined ? seen === undefined : equalBytes(value, seen);
}

/** Clients keep to the limits themselves: their errors name them. */
function assertFits(
  { kind, key, next }: DecidedEntryChange,
  limits: Limits,
): void {
  if (typeof next !== "object") return;
  const nameBytes = new TextEncoder().encode(kind + key).byteLength;
  const valueBytes = next.value.byteLength;
  if (valueBytes <= limits.valueBytes && nameBytes <= limits.nameBytes) return;
  throw new StoreError("STORAGE", "The server has no room for the change");
}

function superseded(batch: number): StoreError {
  return new StoreError(
    "STORAGE",
    `Cannot carry out batch ${batch}: the client has sent a later one, so it has given this one up`,
  );
}
