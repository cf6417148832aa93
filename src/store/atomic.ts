/**
 * Builds atomic operations, for every store.
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

/**
 * A write of an atomic operation: of a value, or of a function's result; a
 * deletion if it has neither.
 */
export interface AtomicWrite {
  readonly kind: string;
  readonly key: string;
  readonly value: MaybePromise<Prepared> | undefined;
  /** How to store the value. */
  readonly options?: PutOptions;
  readonly updating?: Updating;
}

/** The steps of an atomic operation. */
export interface AtomicPlan {
  readonly checks: readonly Check[];
  readonly writes: readonly AtomicWrite[];
}

/** The arguments of an atomic operation's `update`. */
export interface AtomicUpdate {
  readonly kind: string;
  readonly key: string;
  readonly fn: unknown;
  readonly initial?: unknown;
  readonly expiresAt?: number;
}

/** The functions that a store provides for its atomic operations. */
export interface AtomicBackend {
  /** Checks and encodes a value. */
  prepare(kind: string, key: string, value: unknown): MaybePromise<Prepared>;
  /** Checks the arguments of an update. */
  prepareUpdate(update: AtomicUpdate): Updating;
  /** Carries the plan out in one transaction. */
  commit(plan: AtomicPlan, signal?: AbortSignal): Promise<AtomicResult>;
}

/** The builder that `atomic()` returns. */
export class AtomicBuilder<
  Kinds extends object,
  Inputs extends { [Kind in keyof Kinds]: unknown },
> implements AtomicOperation<Kinds, Inputs> {
  readonly #backend: AtomicBackend;
  readonly #checks: Check[] = [];
  readonly #writes: AtomicWrite[] = [];
  #committed = false;

  /** Takes the functions that prepare values and commit. */
  constructor(backend: AtomicBackend) {
    this.#backend = backend;
  }

  check(...checks: AtomicCheck<KindOf<Kinds>>[]): this {
    this.#assertOpen("check");
    // Reads all checks first, so that a call that throws adds none.
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

  /**
   * If the schema refuses the value, now or later, the commit gets the error.
   */
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
      // The commit had not begun, so the operation can be used again. If it has
      // begun, an abort comes too late.
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
