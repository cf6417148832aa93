/**
 * The server's writes: a batch is one transaction, carried out in order.
 *
 * The invariants:
 * - A batch is carried out once, however often and however late it arrives.
 * - A decision takes effect only if its client saw what is there at its place.
 * - The first stale decision ends the batch: what is behind it is not done.
 *
 * @module
 */
import { equalBytes } from "../../../src/base/bytes.ts";
import { StoreError } from "../../../src/contract/errors.ts";
import type { Limits } from "../../../src/engine/limits.ts";
import type { Change, Decide, Outcome } from "../../../src/engine/write.ts";
import { carryOut, ChangeError } from "../../../src/local/carry_out.ts";
import { LogPruner } from "../../../src/local/revisions.ts";
import type { MemoryStorage } from "../../../src/memory/memory_storage.ts";
import type {
  Ask,
  BatchAnswer,
  DecidedChange,
  DecidedEntryChange,
  DecidedWrite,
  WriteAnswer,
} from "./protocol.ts";

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
    return this.#inTransaction(() => {
      const answers = this.#runWrites(writes);
      within?.();
      return { writes: answers, head: this.#storage.headRevision() };
    });
  }

  #inTransaction<T>(work: () => T): T {
    const before = this.#storage.headRevision();
    this.#storage.begin();
    try {
      const result = work();
      this.#pruner.prune(before, this.#storage.headRevision());
      this.#storage.commit();
      return result;
    } catch (error) {
      this.#storage.rollBack();
      throw error;
    }
  }

  #runWrites(writes: readonly DecidedWrite[]): WriteAnswer[] {
    const answers: WriteAnswer[] = [];
    for (const write of writes) {
      this.#storage.save();
      const answer = this.#runWrite(write);
      if (answer?.type !== "done") this.#storage.undo();
      this.#storage.release();
      if (!answer) break;
      answers.push(answer);
    }
    return answers;
  }

  /** Runs a write; gives nothing if a decision is stale. */
  #runWrite(write: DecidedWrite): WriteAnswer | undefined {
    try {
      const outcome = this.#carryOut(write);
      if (outcome.type === "refused") {
        const { check, found } = outcome;
        return { type: "refused", check: write.checks.indexOf(check), found };
      }
      return write.fails ? { type: "confirmed" } : outcome as WriteAnswer;
    } catch (error) {
      if (!(error instanceof ChangeError)) throw error;
      const { cause, at } = error;
      if (cause instanceof StaleDecision) return undefined;
      if (!(cause instanceof StoreError)) throw cause;
      const { code, message } = cause;
      return { type: "failed", failure: { code, message }, at };
    }
  }

  #carryOut({ checks, changes }: DecidedWrite): Outcome {
    const steps = carryOut(this.#storage, {
      action: "write",
      checks,
      size: () => changes.length,
      changes: () => changes.values().map((change) => this.#toChange(change)),
    });
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  #toChange(change: DecidedChange): Change {
    if ("range" in change) return change;
    assertFits(change, this.#limits);
    const { seen, next } = change;
    if (!seen) return change;
    const decide: Decide = (value) => {
      if (isSame(value, seen.value)) return next;
      throw new StaleDecision();
    };
    return { ...change, next: decide };
  }
}

/** Something else is there than the client saw. */
class StaleDecision extends Error {}

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
