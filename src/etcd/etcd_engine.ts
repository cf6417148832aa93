/**
 * The engine that keeps its entries in an etcd cluster.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import {
  StoreClosedError,
  StoreReadOnlyError,
  StoreUnavailableError,
} from "../contract/errors.ts";
import type { VerifyFinding } from "../contract/verify.ts";
import type { Capabilities, Engine, Judge } from "../engine/engine.ts";
import { Expiry } from "../engine/expiry.ts";
import type { Limits } from "../engine/limits.ts";
import { prunedPast, putBack } from "../engine/log_ends.ts";
import type { PastView, Snapshot, View } from "../engine/view.ts";
import type { Batch, Outcome } from "../engine/write.ts";
import type { Keys } from "./format/keys.ts";
import {
  Cut,
  isBusy,
  isCompacted,
  storeErrorOf,
  unavailable,
} from "./gateway/failure.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { numberOf } from "./gateway/messages.ts";
import {
  EntryView,
  type Moment,
  type ViewSource,
} from "./storage/entry_view.ts";
import { EtcdLog } from "./storage/etcd_log.ts";
import { InsideView } from "./storage/inside_view.ts";
import { PageSizes } from "./storage/page_sizes.ts";
import type { Timeline } from "./storage/timeline.ts";
import { Verification } from "./storage/verification.ts";
import { Writer } from "./storage/writer.ts";

/**
 * The limits of a write in a cluster. In addition, all values of one write
 * together have at most `mostBytes`.
 */
export const LIMITS: Limits = {
  nameBytes: 4_096,
  valueBytes: 1024 * 1024,
  changes: 1_000,
  shared: 256,
};

/** The parts and settings of an engine. */
export interface EtcdEngineConfig {
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly timeline: Timeline;
  /** The reason why the store is read-only; `undefined` if it is writable. */
  readonly readOnly: string | undefined;
  readonly history: number;
  readonly busyTimeout: number;
  readonly limits: Limits;
  readonly mostBytes: number;
  readonly mostOps: number;
}

/** How many times reads of one moment are retried after a compaction. */
const FEW_TRIES = 3;

/** An engine on a cluster. */
export class EtcdEngine extends EntryView implements Engine {
  readonly limits: Limits;
  readonly capabilities: Capabilities = { verify: true };
  readonly isReadOnly: boolean;
  readonly log: EtcdLog;
  readonly #config: EtcdEngineConfig;
  readonly #source: ViewSource;
  readonly #writer: Writer;
  readonly #expiry: Expiry | undefined;
  /** The running verifications. */
  readonly #verifying = new Set<Promise<unknown>>();

  /** Takes its parts and settings. */
  constructor(config: EtcdEngineConfig) {
    const { gateway, keys, readOnly } = config;
    const source = { gateway, keys, sizes: new PageSizes() };
    super(source);
    this.#source = source;
    this.#config = config;
    this.limits = config.limits;
    this.isReadOnly = readOnly !== undefined;
    this.log = new EtcdLog(config, config.history);
    this.#writer = new Writer({
      ...config,
      onExpiring: (at) => this.#expiry?.expect(at),
    });
    if (this.isReadOnly) return;
    this.#expiry = new Expiry({
      isShared: true,
      next: (signal) => this.#nextExpiry(signal),
      removeSome: () => this.#writer.removeExpired(),
      isBusy,
    });
    this.#expiry.start();
  }

  assertWritable(action: string): void {
    const { readOnly } = this.#config;
    if (readOnly === undefined) return;
    throw new StoreReadOnlyError(`Cannot ${action}: ${readOnly}`);
  }

  assertWatchable(): void {}

  write(batch: Batch): Promise<readonly Outcome[]> {
    return this.#writer.write(batch);
  }

  headNow(): undefined {
    return undefined;
  }

  /** When the next entry expires, in ms since 1970. */
  async #nextExpiry(signal: AbortSignal): Promise<number | undefined> {
    const { gateway, keys } = this.#config;
    const { kvs = [] } = await gateway.range(
      { ...keys.allExpiring, limit: 1, keys_only: true },
      { signal, patience: 0 },
    );
    return kvs[0] && keys.expiringNameOf(kvs[0].key)?.expiresAt;
  }

  // Reads of one moment.

  async together<T>(
    read: (view: View) => MaybePromise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let tries = 0;; tries++) {
      try {
        return await read(await this.#viewOfNow(signal));
      } catch (error) {
        if (!isCompacted(error) || tries >= FEW_TRIES) throw error;
      }
    }
  }

  async openSnapshot(signal?: AbortSignal): Promise<Snapshot> {
    return Object.assign(await this.#viewOfNow(signal), { close() {} });
  }

  async #viewOfNow(signal?: AbortSignal): Promise<EntryView> {
    const { gateway, keys } = this.#config;
    const { header } = await gateway.range(
      { key: keys.meta, count_only: true },
      { signal },
    );
    const at = numberOf(header?.revision);
    return new EntryView(this.#source, { at, time: Date.now() });
  }

  async openPast(
    at?: number,
    time?: number,
    signal?: AbortSignal,
  ): Promise<PastView> {
    const { timeline, history } = this.#config;
    const now = await timeline.now({ signal });
    const { head } = now.record;
    const revision = at ?? head;
    if (revision > head) throw putBack("ahead", revision);
    if (revision < head - history) {
      throw prunedPast(revision, head - history + 1);
    }
    const place = await timeline.placeOf(revision, now, { signal });
    const moment = {
      at: place.at,
      time: time ?? (at === undefined ? Date.now() : place.record.time),
      revision,
      ...(history === Infinity
        ? {}
        : { assertReached: () => this.#assertReached(revision) }),
    };
    if (place.record.head === revision) {
      return new EtcdPast(this.#source, moment);
    }
    const changes = await this.log.changesAt(place, revision, signal);
    const before = new EntryView(this.#source, moment);
    return new InsideView(before, changes, moment);
  }

  async #assertReached(revision: number): Promise<void> {
    const { timeline, history } = this.#config;
    const { head } = (await timeline.now()).record;
    if (revision < head - history) {
      throw prunedPast(revision, head - history + 1);
    }
  }

  verify(judge: Judge, signal?: AbortSignal): Promise<VerifyFinding[]> {
    const verifying = this.#verify(judge, signal);
    this.#verifying.add(verifying);
    const forget = () => this.#verifying.delete(verifying);
    verifying.then(forget, forget);
    return verifying;
  }

  async #verify(
    judge: Judge,
    signal?: AbortSignal,
  ): Promise<VerifyFinding[]> {
    const now = await this.#config.timeline.now({ signal });
    const verification = new Verification(this.#source, now, judge);
    return await verification.findings(signal);
  }

  isBusy(error: unknown): boolean {
    return error instanceof Cut || isBusy(error);
  }

  errorOf(action: string, error: unknown): unknown {
    if (this.#config.gateway.isClosed && error instanceof Cut) {
      return new StoreClosedError();
    }
    // A read does not know the name of its operation.
    if (error instanceof StoreUnavailableError) {
      return unavailable(action, error.cause);
    }
    return storeErrorOf(action, error);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#verifying);
    // They close at the same time, so that a silent member delays `close` once.
    this.#config.gateway.close();
    await Promise.all([this.#expiry?.close(), this.log.close()]);
  }
}

/** The entries at a revision of the store. */
class EtcdPast extends EntryView implements PastView {
  readonly revision: number;

  constructor(source: ViewSource, moment: Moment & { revision: number }) {
    super(source, moment);
    this.revision = moment.revision;
  }

  close(): void {}
}
