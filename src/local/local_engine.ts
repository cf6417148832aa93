/**
 * The engine on a storage in this process: SQLite or memory. The storage's calls
 * are synchronous, so most operations are complete when the call returns.
 *
 * A transaction holds the event loop for at most a slice. Many writes become
 * several transactions, and one long write pauses inside its own.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import { SHORT_SLICE_MS, Slice } from "../base/slice.ts";
import { WatchOverflowError } from "../contract/errors.ts";
import type { VerifyFinding } from "../contract/verify.ts";
import type {
  EntryState,
  StoredEntry,
  StoredValue,
} from "../engine/entries.ts";
import type { Capabilities, Engine, Judge } from "../engine/engine.ts";
import { Expiry } from "../engine/expiry.ts";
import type { Limits } from "../engine/limits.ts";
import { LockWait } from "../engine/lock_wait.ts";
import type { Page, PageOptions } from "../engine/page.ts";
import type { PastView, Snapshot, View } from "../engine/view.ts";
import type { Batch, Outcome } from "../engine/write.ts";
import type { KeyRange } from "../keys/key_range.ts";
import { type Commit, LocalChangeLog } from "./local_change_log.ts";
import { momentOf } from "./past_moment.ts";
import type { Storage } from "./storage.ts";
import { MOST_SHARED, TransactionRun } from "./transaction_run.ts";
import { Turns } from "./turns.ts";
import { type ReadInTurn, UndoView } from "./undo_view.ts";
import { Verification } from "./verification.ts";
import { type OpenNotifier, openSilentNotifier } from "./wakeup.ts";

/** The parts of a local engine. */
export interface LocalEngineConfig {
  readonly storage: Storage;
  /** How long to wait for another connection's lock, in ms. */
  readonly busyTimeout: number;
  /** How many changes the log keeps. */
  readonly history: number;
  /** The change log's newest revision. */
  readonly head: number;
  /** The notifications of writes by other connections. */
  readonly openNotifier: OpenNotifier;
}

/** How many entries are removed between two looks at the clock. */
const EXPIRED_AT_ONCE = 64;

/** The engine on a storage. */
export class LocalEngine implements Engine {
  readonly limits: Limits = {
    nameBytes: Infinity,
    valueBytes: Infinity,
    changes: Infinity,
    shared: MOST_SHARED,
  };
  readonly capabilities: Capabilities = { verify: true };
  readonly log: LocalChangeLog;
  readonly #storage: Storage;
  readonly #turns: Turns;
  readonly #busyTimeout: number;
  readonly #slice = new Slice();
  readonly #expiry: Expiry;
  /** Background work. It ends before the engine closes. */
  readonly #running = new Set<Promise<unknown>>();
  /** Whether the log is being restored, because many watches may notice the loss at once. */
  #isBringingBack = false;

  /** Takes over a storage. */
  constructor(config: LocalEngineConfig) {
    const { storage, busyTimeout } = config;
    this.#storage = storage;
    this.#busyTimeout = busyTimeout;
    this.#turns = new Turns((error) => storage.isBusy(error), busyTimeout);
    this.log = new LocalChangeLog({
      ...config,
      turns: this.#turns,
      bringBack: () => this.#bringBack(),
    });
    this.#expiry = new Expiry({
      isShared: config.openNotifier !== openSilentNotifier,
      next: (signal) => this.#nextExpiry(signal),
      removeSome: (signal) => this.#removeExpired(signal),
      isBusy: (error) => storage.isBusy(error),
    });
    if (!this.isReadOnly) this.#expiry.start();
    // The first write begins the first slice, and so never waits for a turn.
    this.#slice.restart();
  }

  get isReadOnly(): boolean {
    return this.#storage.isReadOnly;
  }

  assertWritable(action: string): void {
    this.#storage.assertWritable(action);
  }

  assertWatchable(action: string): void {
    this.#storage.assertWatchable(action);
  }

  isBusy(error: unknown): boolean {
    return this.#storage.isBusy(error);
  }

  errorOf(action: string, error: unknown): unknown {
    return this.#storage.errorOf(action, error);
  }

  // Reads. Each fails if other connections would not see the same data.

  value(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): MaybePromise<Uint8Array | undefined> {
    return this.#read(() => this.#storage.getValue(kind, key), signal);
  }

  entry(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): MaybePromise<StoredEntry | undefined> {
    return this.#read(() => this.#storage.getEntry(kind, key), signal);
  }

  state(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): MaybePromise<EntryState | undefined> {
    return this.#read(() => this.#storage.getState(kind, key), signal);
  }

  some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): MaybePromise<StoredValue[]> {
    return this.#read(
      () => this.#storage.snapshot(() => this.#storage.readSome(kind, keys)),
      signal,
    );
  }

  keys(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): MaybePromise<Page<string>> {
    return this.#read(() => this.#storage.readKeys(kind, range, page), signal);
  }

  values(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): MaybePromise<Page<StoredValue>> {
    return this.#read(
      () => this.#storage.readValues(kind, range, page),
      signal,
    );
  }

  entries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): MaybePromise<Page<StoredEntry>> {
    return this.#read(
      () => this.#storage.readEntries(kind, range, page),
      signal,
    );
  }

  count(
    kind: string,
    range: KeyRange,
    limit?: number,
    signal?: AbortSignal,
  ): MaybePromise<number> {
    return this.#read(() => this.#storage.count(kind, range, limit), signal);
  }

  kinds(signal?: AbortSignal): MaybePromise<string[]> {
    return this.#read(() => this.#storage.listKinds(), signal);
  }

  #read<T>(work: () => T, signal?: AbortSignal): MaybePromise<T> {
    return this.#turns.read(() => {
      this.#storage.look("read");
      return work();
    }, signal);
  }

  /** Runs a read of the storage in its turn. */
  readStorage<T>(work: () => T, signal?: AbortSignal): MaybePromise<T> {
    return this.#turns.read(work, signal);
  }

  /** Runs work while nothing else runs. */
  runAlone<T>(work: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#turns.alone(work, signal);
  }

  together<T>(
    read: (view: View) => MaybePromise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#turns.readTogether(
      () => this.#storage.openMoment(),
      // The connection has a read transaction open, so this engine's reads are
      // part of it.
      () => read(this),
      signal,
    );
  }

  openSnapshot(signal?: AbortSignal): MaybePromise<Snapshot> {
    return this.#read(() => {
      const snapshot = this.#storage.openSnapshot();
      return {
        kinds: () => snapshot.listKinds(),
        entries: (kind, range) => snapshot.readEntries(kind, range),
        close: () => snapshot.close(),
      };
    }, signal);
  }

  async openPast(
    at?: number,
    time?: number,
    signal?: AbortSignal,
  ): Promise<PastView> {
    const read: ReadInTurn = (work, signal) => this.#read(work, signal);
    const open = () =>
      read(() => {
        const moment = momentOf(this.#storage, at, time);
        return new UndoView(this.#storage, read, moment);
      }, signal);
    try {
      return await open();
    } catch (error) {
      if (!isAhead(error)) throw error;
      // A long read of this store may hide newer writes of other connections.
      await this.#turns.momentsClosed(signal);
      return await open();
    }
  }

  async verify(judge: Judge, signal?: AbortSignal): Promise<VerifyFinding[]> {
    const verification = new Verification(this.#storage, judge);
    await this.#track(verification.read(this.#turns, signal));
    return await verification.findings(signal);
  }

  headNow(): number | undefined {
    return this.log.headNow();
  }

  // Writes.

  write(batch: Batch): Promise<readonly Outcome[]> {
    return this.#slice.isUsedUp || !this.#turns.areFree
      ? this.#writeWhenFree(batch)
      : this.#transact(batch);
  }

  async #writeWhenFree(batch: Batch): Promise<readonly Outcome[]> {
    if (this.#slice.isUsedUp) await this.#slice.nextTurn();
    while (!this.#turns.areFree) await this.#turns.free();
    return await this.#transact(batch);
  }

  /** Call this only if no other work has a turn: it begins at once. */
  async #transact(batch: Batch): Promise<readonly Outcome[]> {
    this.#storage.begin();
    // `begin` and `hold` must be one step: a read in between would be part of the
    // transaction.
    const release = this.#turns.hold();
    const run = new TransactionRun(this.#storage, this.#slice);
    let commit: Commit | undefined;
    let isClear = true;
    try {
      const rest = run.carryOut(batch);
      if (rest) await rest;
      if (run.isUndone) this.#storage.rollBack();
      else {
        const next = this.log.beforeCommit();
        const failure = this.#tryCommit();
        if (failure) isClear = await this.#commitLater(run, next, failure);
        commit = next;
      }
    } catch (error) {
      this.#storage.rollBack();
      throw error;
    } finally {
      release();
    }
    if (commit) {
      if (isClear) this.log.afterCommit(commit);
      else this.log.afterUnclearCommit(commit);
    }
    const expiry = this.#storage.takeSoonestPut();
    if (expiry !== undefined) this.#expiry.expect(expiry);
    return run.outcomes;
  }

  /** Commits. Returns the error if it failed. */
  #tryCommit(): { readonly error: unknown } | undefined {
    try {
      this.#storage.commit();
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /**
   * Retries the commit while a reader's lock blocks it, as with a rollback
   * journal. Resolves with true if everything was written, and with false if
   * that is unclear. Rejects if nothing was written.
   */
  async #commitLater(
    run: TransactionRun,
    commit: Commit,
    first: { readonly error: unknown },
  ): Promise<boolean> {
    const wait = new LockWait();
    for (
      let failure: { readonly error: unknown } | undefined = first;
      failure;
      failure = this.#tryCommit()
    ) {
      const { error } = failure;
      if (wait.elapsed >= this.#busyTimeout || !this.isBusy(error)) {
        await this.#handleFailure(run, commit, error);
        return false;
      }
      await wait.pause(this.#busyTimeout);
    }
    return true;
  }

  /** Ends a transaction whose commit failed. Rejects, unless the commit may have taken effect. */
  async #handleFailure(
    run: TransactionRun,
    commit: Commit,
    error: unknown,
  ): Promise<void> {
    this.#storage.rollBack();
    if (this.isBusy(error) || !await this.#mayBeCommitted(commit)) throw error;
    run.becomeUnclear(error);
  }

  /**
   * Whether a failed commit may have taken effect anyway. With a rollback
   * journal, SQLite commits by deleting the journal. After that it syncs the
   * directory, which may fail. A retry would write twice.
   */
  async #mayBeCommitted(commit: Commit): Promise<boolean> {
    try {
      return await this.#turns.retry(() => this.log.mayBeCommitted(commit));
    } catch {
      return true;
    }
  }

  /**
   * Runs an empty transaction, which restores the tables and triggers that others
   * dropped. If it fails, the next watch or write gets the error.
   */
  #bringBack(): void {
    if (this.#isBringingBack) return;
    this.#isBringingBack = true;
    // Every woken watch reads in this turn, and gets the same answer.
    const done = this.#slice.nextTurn()
      .then(() => this.#turns.alone(() => this.#transactAtOnce(() => {})))
      .finally(() => this.#isBringingBack = false);
    this.#track(
      done.then((commit) => this.log.afterCommit(commit), () => {}),
    );
  }

  #nextExpiry(signal: AbortSignal): Promise<number | undefined> {
    return this.#turns.readOnce(() => {
      this.#storage.look("read");
      return this.#storage.nextExpiry();
    }, signal);
  }

  /** Removes as many expired entries as fit a slice. Returns whether there may be more. */
  async #removeExpired(signal: AbortSignal): Promise<boolean> {
    let isMore = false;
    const commit = await this.#turns.aloneOnce(
      () =>
        this.#transactAtOnce(() => {
          const slice = new Slice(SHORT_SLICE_MS);
          do {
            const tried = this.#storage.removeExpired(EXPIRED_AT_ONCE);
            isMore = tried === EXPIRED_AT_ONCE;
          } while (isMore && !slice.isUsedUp);
        }),
      signal,
    );
    this.log.afterCommit(commit);
    return isMore;
  }

  /** Call this only if no other work has a turn. */
  #transactAtOnce(work: () => void): Commit {
    this.#storage.begin();
    try {
      work();
      const commit = this.log.beforeCommit();
      this.#storage.commit();
      return commit;
    } catch (error) {
      this.#storage.rollBack();
      throw error;
    }
  }

  #track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    const forget = () => this.#running.delete(running);
    running.then(forget, forget);
    return running;
  }

  async close(): Promise<void> {
    await this.#expiry.close();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    this.#storage.close();
  }
}

function isAhead(error: unknown): boolean {
  return error instanceof WatchOverflowError && error.reason === "ahead";
}
