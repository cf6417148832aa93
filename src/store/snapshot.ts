/**
 * A store as it was at one moment.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import {
  RevisionUnavailableError,
  StoreClosedError,
  WatchOverflowError,
} from "../contract/errors.ts";
import type { AnyKinds, Snapshot } from "../contract/mod.ts";
import type { Engine } from "../engine/engine.ts";
import type { PastView } from "../engine/view.ts";
import type { Values } from "../values/values.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { StoreReads } from "./reads.ts";

const REASONS = {
  pruned:
    "the change log no longer reaches it, or an earlier version of @zestor/store logged the changes since; open the store with a longer history",
  ahead: "the store has not reached it; give the revision of a change",
  history:
    "the cursor is another store's, or the store was put back to an earlier state since; read the entries again",
  broken:
    "somebody changed the change log, or what writes it; see the findings of verify()",
};

/**
 * Converts the error of a past revision that cannot be read. Other errors are
 * returned unchanged.
 */
export function unavailable(error: unknown, revision?: number): unknown {
  if (!(error instanceof WatchOverflowError)) return error;
  const what = revision === undefined
    ? "the past revision"
    : `revision ${revision}`;
  return new RevisionUnavailableError(
    error.reason,
    `Cannot read ${what}: ${REASONS[error.reason]}`,
    { cause: error },
  );
}

/**
 * Opens a read of a revision, or of the present. Throws
 * `RevisionUnavailableError`.
 */
export async function openPast(
  engine: Engine,
  at: number | undefined,
  signal: AbortSignal | undefined,
): Promise<PastView> {
  try {
    return await engine.openPast(at, undefined, signal);
  } catch (error) {
    throw unavailable(error, at);
  }
}

/** The store that `snapshot` returns. */
export class PastStore<Kinds extends object = AnyKinds>
  extends StoreReads<Kinds>
  implements Snapshot<Kinds> {
  readonly #view: PastView;
  readonly #closer: AbortController;

  /** Takes over a view of the past. */
  constructor(
    engine: Engine,
    life: Lifecycle,
    values: Values,
    view: PastView,
  ) {
    const closer = new AbortController();
    const told = (error: unknown) => unavailable(error, view.revision);
    const assertOpen = () => {
      life.assertOpen();
      if (closer.signal.aborted) throw closer.signal.reason;
    };
    super({
      view: withTogether(view),
      values,
      closing: AbortSignal.any([life.closing, closer.signal]),
      assertOpen,
      read: (action, work, signal) => {
        assertOpen();
        signal?.throwIfAborted();
        return life.track(readPast(work, told, engine, action));
      },
      track: (operation) => life.track(operation),
      // The view stays open for later reads.
      openEntries: () => Object.assign(withTogether(view), { close() {} }),
      errorOf: (action, error) => told(engine.errorOf(action, error)),
    });
    this.#view = view;
    this.#closer = closer;
  }

  get revision(): number {
    return this.#view.revision;
  }

  async close(): Promise<void> {
    this.#closer.abort(
      new StoreClosedError(
        "Cannot use the snapshot: it is closed; take another one",
      ),
    );
    await this.#view.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function readPast<T>(
  work: () => MaybePromise<T>,
  told: (error: unknown) => unknown,
  engine: Engine,
  action: string,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw told(engine.errorOf(action, error));
  }
}

/** A view with `together`. All its reads are of the same moment anyway. */
function withTogether(view: PastView) {
  return {
    value: view.value.bind(view),
    entry: view.entry.bind(view),
    state: view.state.bind(view),
    some: view.some.bind(view),
    keys: view.keys.bind(view),
    values: view.values.bind(view),
    entries: view.entries.bind(view),
    count: view.count.bind(view),
    kinds: view.kinds.bind(view),
    together: <T>(read: (view: PastView) => MaybePromise<T>) => read(view),
  };
}
