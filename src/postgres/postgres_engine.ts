/**
 * An engine whose entries are in a schema of a PostgreSQL database.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import type { VerifyFinding } from "../contract/verify.ts";
import {
  StoreClosedError,
  StoreReadOnlyError,
  StoreUnavailableError,
  WatchOverflowError,
} from "../contract/errors.ts";
import { Expiry } from "../engine/expiry.ts";
import type { Capabilities, Engine, Judge } from "../engine/engine.ts";
import type { Limits } from "../engine/limits.ts";
import { prunedPast } from "../engine/log_ends.ts";
import type { PastView, Snapshot, View } from "../engine/view.ts";
import type { Batch, Outcome } from "../engine/write.ts";
import type { PlannedWrite } from "../remote/batch_plan.ts";
import type { Address } from "./connection/address.ts";
import {
  Cut,
  isBusy,
  storeErrorOf,
  unavailable,
} from "./connection/failure.ts";
import type { Link, Row } from "./connection/link.ts";
import type { Links } from "./connection/links.ts";
import { Listener } from "./connection/listener.ts";
import type { SchemaState } from "./format/prepare_schema.ts";
import { EntryView, PastEntryView } from "./storage/entry_view.ts";
import { PostgresLog } from "./storage/postgres_log.ts";
import {
  headOf,
  markOf,
  ms,
  prunedOf,
  type Tables,
} from "./storage/selection.ts";
import { Verification } from "./storage/verification.ts";
import { pruneStep, Writer } from "./storage/writer.ts";

/**
 * The limits of a server. An index key takes at most a third of a page
 * (https://www.postgresql.org/docs/current/btree.html). A value is copied
 * several times on its way.
 */
export const LIMITS: Limits = {
  nameBytes: 2_000,
  valueBytes: 16 * 1024 * 1024,
  changes: Infinity,
  shared: 256,
};

/** How many expired entries one transaction removes. */
const EXPIRED_AT_ONCE = 500;

/** The parts of an engine. */
export interface PostgresEngineConfig {
  readonly tables: Tables;
  readonly links: Links;
  readonly state: SchemaState;
  readonly listenAddress: Address | undefined;
  readonly history: number;
  readonly busyTimeout: number;
  readonly isDurable: boolean;
}

/** An engine on a server. */
export class PostgresEngine extends EntryView implements Engine {
  readonly limits = LIMITS;
  readonly capabilities: Capabilities = { verify: true };
  readonly isReadOnly: boolean;
  readonly log: PostgresLog;
  readonly #tables: Tables;
  readonly #links: Links;
  readonly #readOnly: string | undefined;
  readonly #history: number;
  readonly #writer: Writer;
  readonly #expiry: Expiry | undefined;
  /** The snapshots that are open. */
  readonly #snapshots = new Set<ServerSnapshot>();
  /** The verifications that run. */
  readonly #verifying = new Set<Promise<unknown>>();

  /** Takes its parts. */
  constructor(config: PostgresEngineConfig) {
    const { tables, links, state, history } = config;
    super(tables, (query, signal) => links.read(query, { signal }));
    this.#tables = tables;
    this.#links = links;
    this.#readOnly = state.readOnly;
    this.#history = history;
    this.isReadOnly = state.readOnly !== undefined;
    this.log = new PostgresLog(
      tables,
      links,
      history,
      (onHint) =>
        new Listener(links, state.channel, config.listenAddress, onHint),
    );
    this.#writer = new Writer({
      ...config,
      limits: LIMITS,
      needsTransaction: state.needsTransaction,
      onWritten: (planned) => this.#noteWritten(planned),
    });
    if (this.isReadOnly) return;
    this.#expiry = new Expiry({
      isShared: true,
      next: () => this.#nextTidying(),
      removeSome: () => this.#tidy(),
      isBusy: (error) => error === LOCKED || isBusy(error),
    });
    this.#expiry.start();
  }

  assertWritable(action: string): void {
    if (this.#readOnly === undefined) return;
    throw new StoreReadOnlyError(`Cannot ${action}: ${this.#readOnly}`);
  }

  assertWatchable(): void {}

  write(batch: Batch): Promise<readonly Outcome[]> {
    return this.#writer.write(batch);
  }

  #noteWritten(planned: readonly PlannedWrite[]): void {
    const kinds = new Set<string>();
    for (const { decided } of planned) {
      for (const change of decided.changes) {
        kinds.add(change.kind);
        if ("range" in change || typeof change.next !== "object") continue;
        const { expiresAt } = change.next;
        if (typeof expiresAt === "number") this.#expiry?.expect(expiresAt);
      }
    }
    this.log.hint(kinds);
  }

  headNow(): undefined {
    return undefined;
  }

  // Tidying removes expired entries, and changes of plain SQL beyond the
  // history.

  /** The time of the next tidying, in ms since 1970. */
  async #nextTidying(): Promise<number | undefined> {
    const [{ next, surplus }] = await this.#links.read({
      text: `SELECT (SELECT ${
        ms("min(expires_at)")
      } FROM ${this.#tables.kv} WHERE expires_at IS NOT NULL) AS next,
        ${headOf(this.#tables)} - ${
        prunedOf(this.#tables)
      } - $1::bigint AS surplus`,
      values: [this.#history],
    }, { patience: 0 });
    return surplus >= pruneStep(this.#history) ? 0 : next ?? undefined;
  }

  async #tidy(): Promise<boolean> {
    const [{ more }] = await this.#links.read({
      text:
        `SELECT ${this.#tables.schema}.zestor_tidy($1::int, $2::bigint) AS more`,
      values: [EXPIRED_AT_ONCE, this.#history],
    }, { patience: 0 });
    if (more === null) throw LOCKED;
    this.log.hint();
    return more;
  }

  // Reads at one moment.

  async together<T>(
    read: (view: View) => MaybePromise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let tries = 0;; tries++) {
      const snapshot = await this.#openSnapshot(signal);
      try {
        return await read(snapshot);
      } catch (error) {
        // The server was restarted, and the snapshot is gone.
        if (!(error instanceof Cut) || tries >= FEW_TRIES) throw error;
      } finally {
        await snapshot.close();
      }
    }
  }

  openSnapshot(signal?: AbortSignal): Promise<Snapshot> {
    return this.#openSnapshot(signal);
  }

  async #openSnapshot(signal?: AbortSignal): Promise<ServerSnapshot> {
    signal?.throwIfAborted();
    const link = await this.#openLink();
    try {
      const [, [{ time }]] = await Promise.all([
        link.query({ text: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" }),
        link.query({ text: `SELECT ${ms("clock_timestamp()")} AS time` }),
      ]);
      const snapshot = new ServerSnapshot(
        this.#tables,
        link,
        time,
        () => this.#snapshots.delete(snapshot),
      );
      this.#snapshots.add(snapshot);
      return snapshot;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  /** A connection of its own. Opening it may take as long as a read. */
  async #openLink(): Promise<Link> {
    // The server cannot be reached now, but may be back soon.
    await this.#links.read({ text: "SELECT 1" });
    return await this.#links.open();
  }

  async openPast(
    at?: number,
    time?: number,
    signal?: AbortSignal,
  ): Promise<PastView> {
    const { changes } = this.#tables;
    const head = headOf(this.#tables);
    const timeAt = (revision: string) =>
      `(SELECT ${ms("time")} FROM ${changes} WHERE revision = ${revision})`;
    const [row] = await this.#links.read({
      text: `SELECT head, pruned, at.revision, ${
        markOf(this.#tables, "at.revision")
      } AS mark, ${ms("clock_timestamp()")} AS now,
        coalesce(${timeAt("at.revision")}, ${timeAt("at.revision + 1")}) AS time
        FROM (SELECT head, pruned, coalesce($1::bigint, head) AS revision
          FROM (SELECT ${head} AS head, ${
        prunedOf(this.#tables)
      } AS pruned) AS log) AS at`,
      values: [at ?? null],
    }, { signal });
    if (row.revision > row.head) throw notReached(row.revision, row.head);
    if (row.revision < row.pruned) {
      throw prunedPast(row.revision, row.pruned + 1);
    }
    const view = new PastEntryView(
      this.#tables,
      (query, signal) => this.#links.read(query, { signal }),
      {
        revision: row.revision,
        mark: row.mark,
        time: time ?? timeOf(at, row),
      },
    );
    return view;
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
    const snapshot = await this.#openSnapshot(signal);
    try {
      const ask = (text: string, values: unknown[] = []) =>
        snapshot.ask({ text, values }, signal);
      return await new Verification(this.#tables, ask, judge).findings(signal);
    } finally {
      await snapshot.close();
    }
  }

  isBusy(error: unknown): boolean {
    return error instanceof Cut || isBusy(error);
  }

  errorOf(action: string, error: unknown): unknown {
    if (this.#links.isClosed && error instanceof Cut) {
      return new StoreClosedError();
    }
    // The read does not know the operation's name.
    if (error instanceof StoreUnavailableError) {
      return unavailable(action, error.cause);
    }
    return storeErrorOf(action, error);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#verifying);
    // All at once, so that a silent server does not delay each of them.
    await Promise.all([
      this.#links.close(),
      this.#expiry?.close(),
      this.log.close(),
      ...[...this.#snapshots].map((it) => it.close()),
    ]);
  }
}

/** How often reads of one moment are retried after a cut. */
const FEW_TRIES = 3;

/** Another connection holds the lock. Expired entries are removed later. */
const LOCKED = new Error("Another connection holds the lock");

/** The entries at this moment: a transaction on a connection of its own. */
class ServerSnapshot extends EntryView implements Snapshot {
  readonly #link: Link;
  readonly #onClose: () => void;
  #isClosed = false;

  constructor(
    tables: Tables,
    link: Link,
    time: number,
    onClose: () => void,
  ) {
    super(tables, (query) => link.query(query), { time });
    this.#link = link;
    this.#onClose = onClose;
  }

  ask(
    query: { text: string; values: unknown[] },
    signal?: AbortSignal,
  ): Promise<Row[]> {
    signal?.throwIfAborted();
    return this.#link.query(query);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    await this.#link.close();
  }
}

function notReached(revision: number, head: number): WatchOverflowError {
  return new WatchOverflowError(
    "ahead",
    `Cannot read revision ${revision}: the store is at ${head}`,
  );
}

/**
 * The time of a revision's change. It is now if that time is unknown, or if the
 * view is of the present.
 */
function timeOf(at: number | undefined, { time, now }: Row): number {
  return at === undefined ? now : Math.min(time ?? now, now);
}
