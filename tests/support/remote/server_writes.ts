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
import type { Effect } from "../../../src/engine/write.ts";
import { LogPruner } from "../../../src/local/revisions.ts";
import type { MemoryStorage } from "../../../src/memory/memory_storage.ts";
import type {
  Ask,
  BatchAnswer,
  DecidedChange,
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
    const answer = this.#runTransaction(before, writes, within);
    this.#last.set(client, { batch, answer });
    if (answer.head > before) this.#onCommit(answer.head);
    return answer;
  }

  /** Forgets a client: it sends no batch again. */
  forget(client: string): void {
    this.#last.delete(client);
  }

  #runTransaction(
    before: number,
    writes: readonly DecidedWrite[],
    within: WithinTransaction | undefined,
  ): BatchAnswer {
    this.#storage.begin();
    try {
      const answers = this.#runWrites(writes);
      const head = this.#storage.headRevision();
      within?.();
      this.#pruner.prune(before, head);
      this.#storage.commit();
      return { writes: answers, head };
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
  #runWrite({ checks, changes, fails }: DecidedWrite): WriteAnswer | undefined {
    for (const [check, { kind, key, version }] of checks.entries()) {
      const found = this.#storage.getVersion(kind, key);
      if (found === version) continue;
      return {
        type: "refused",
        check,
        found: found === 0 ? undefined : { version: found },
      };
    }
    const effects: Effect[] = [];
    for (const [at, change] of changes.entries()) {
      if (this.#isStale(change)) return undefined;
      try {
        effects.push(this.#change(change));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        const { code, message } = error;
        return { type: "failed", failure: { code, message }, at };
      }
    }
    if (fails) return { type: "confirmed" };
    return {
      type: "done",
      effects,
      revision: this.#storage.headRevision(),
    };
  }

  #isStale({ kind, key, seen }: DecidedChange): boolean {
    if (!seen) return false;
    const value = this.#storage.getValue(kind, key);
    return value === undefined
      ? seen.value !== undefined
      : !equalBytes(value, seen.value);
  }

  #change(change: DecidedChange): Effect {
    const { kind, key, next, seen } = change;
    if (next === "keep") {
      const version = this.#storage.getVersion(kind, key);
      return { status: "unchanged", version };
    }
    if (next === "remove") return this.#remove(change, seen !== undefined);
    assertFits(change, next.value, this.#limits);
    const { value, origin } = next;
    const effect = this.#storage.put(kind, key, value, origin);
    return effect.status === "unchanged" ? effect : this.#revised(effect);
  }

  #remove({ kind, key }: DecidedChange, isDecided: boolean): Effect {
    const entry = this.#storage.getEntry(kind, key);
    if (!entry) return { status: "unchanged", version: 0 };
    this.#storage.remove(kind, key);
    const { version, updatedAt } = entry;
    return this.#revised(
      isDecided
        ? { status: "removed", version, updatedAt }
        : { status: "removed", version: 0 },
    );
  }

  /** With the revision of the change, which is the newest one now, not when the write ends. */
  #revised(effect: Effect): Effect {
    return { ...effect, revision: this.#storage.headRevision() };
  }
}

/** Clients keep to the limits themselves: their errors name them. */
function assertFits(
  { kind, key }: DecidedChange,
  { byteLength }: Uint8Array,
  limits: Limits,
): void {
  const nameBytes = new TextEncoder().encode(kind + key).byteLength;
  if (byteLength <= limits.valueBytes && nameBytes <= limits.nameBytes) return;
  throw new StoreError("STORAGE", "The server has no room for the change");
}

function superseded(batch: number): StoreError {
  return new StoreError(
    "STORAGE",
    `Cannot carry out batch ${batch}: the client has sent a later one, so it has given this one up`,
  );
}
