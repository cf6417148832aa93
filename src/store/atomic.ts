/**
 * Collects an atomic operation, for every store.
 *
 * @module
 */
import type {
  AtomicCheck,
  AtomicOperation,
  AtomicResult,
  AtomicUpdateOptions,
  ExpiryOptions,
  KindOf,
  OperationOptions,
} from "../contract/mod.ts";
import { ValidationError } from "../contract/errors.ts";
import type { Check } from "../engine/write.ts";
import { assertEntryName } from "../keys/names.ts";
import { readOptions } from "../base/options.ts";
import type { MaybePromise } from "../base/promises.ts";
import type { Prepared } from "../values/values.ts";
import type { PutOptions, Updating } from "./operations.ts";
import { ATOMIC_UPDATE, EXPIRY, OPERATION, readCheck } from "./options.ts";

/** A write of an atomic operation: a value, a function of it, or neither to delete. */
export interface AtomicWrite {
  readonly kind: string;
  readonly key: string;
  readonly value: MaybePromise<Prepared> | undefined;
  /** How the value is put. */
  readonly options?: PutOptions;
  readonly updating?: Updating;
}

/** What an atomic operation is to do. */
export interface AtomicPlan {
  readonly checks: readonly Check[];
  readonly writes: readonly AtomicWrite[];
}

/** What `update` of an atomic operation is given. */
export interface AtomicUpdate {
  readonly kind: string;
  readonly key: string;
  readonly fn: unknown;
  readonly initial?: unknown;
  readonly expiresAt?: number;
}

/** What a store does for its atomic operations. */
export interface AtomicBackend {
  /** Checks and encodes a value. */
  prepare(kind: string, key: string, value: unknown): MaybePromise<Prepared>;
  /** Checks what an update is given. */
  prepareUpdate(update: AtomicUpdate): Updating;
  /** Carries the plan out in one transaction. */
  commit(plan: AtomicPlan, signal?: AbortSignal): Promise<AtomicResult>;
}

/** The builder that `atomic()` gives. */
export class AtomicBuilder<
  Kinds extends object,
  Inputs extends { [Kind in keyof Kinds]: unknown },
> implements AtomicOperation<Kinds, Inputs> {
  readonly #backend: AtomicBackend;
  readonly #checks: Check[] = [];
  readonly #writes: AtomicWrite[] = [];
  #committed = false;

  /** Takes what prepares values, and commits. */
  constructor(backend: AtomicBackend) {
    this.#backend = backend;
  }

  check(...checks: AtomicCheck<KindOf<Kinds>>[]): this {
    this.#assertOpen("check");
    // All of them first: a call that throws adds none.
    for (const check of checks.map(readCheck)) this.#checks.push(check);
    return this;
  }

  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Inputs[Kind],
    options?: ExpiryOptions,
  ): this {
    this.#assertOpen("set");
    assertEntryName(kind, key);
    const { expireIn: expiresAt } = readOptions("set", options, EXPIRY);
    const prepared = this.#prepare(kind, key, value);
    const put = { expiresAt };
    this.#writes.push({ kind, key, value: prepared, options: put });
    return this;
  }

  update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: Kinds[Kind]) => Inputs[Kind],
    options?: AtomicUpdateOptions<Kinds[Kind]>,
  ): this {
    this.#assertOpen("update");
    assertEntryName(kind, key);
    const { expireIn: expiresAt, initial } = readOptions(
      "update",
      options,
      ATOMIC_UPDATE,
    );
    const updating = this.#backend.prepareUpdate(
      { kind, key, fn, initial, expiresAt },
    );
    this.#writes.push({ kind, key, value: undefined, updating });
    return this;
  }

  /** What a schema refuses, at once or later, is the commit's error. */
  #prepare(kind: string, key: string, value: unknown): MaybePromise<Prepared> {
    try {
      return this.#backend.prepare(kind, key, value);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      const refused = Promise.reject(error);
      refused.catch(() => {});
      return refused;
    }
  }

  delete(kind: KindOf<Kinds>, key: string): this {
    this.#assertOpen("delete");
    assertEntryName(kind, key);
    this.#writes.push({ kind, key, value: undefined });
    return this;
  }

  async commit(options?: OperationOptions): Promise<AtomicResult> {
    const { signal } = readOptions("commit", options, OPERATION);
    this.#assertOpen("commit");
    this.#committed = true;
    try {
      const plan = { checks: this.#checks, writes: this.#writes };
      return await this.#backend.commit(plan, signal);
    } catch (error) {
      // It had not begun: an abort comes too late for one that has.
      if (signal?.aborted && error === signal.reason) this.#committed = false;
      throw error;
    }
  }

  #assertOpen(action: string): void {
    if (!this.#committed) return;
    throw new TypeError(
      `Cannot ${action}: the operation was committed already; build another`,
    );
  }
}
