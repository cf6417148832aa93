/**
 * Writes to a cluster and watches it, while a test disturbs the cluster. Each
 * store prefers another member. Then it asserts that no acknowledged write is
 * missing or doubled, and that each watch saw each change once, in order.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { endingOf } from "../postgres/faults.ts";
import { until } from "../postgres/until.ts";
import {
  assertWatchGuarantees,
  type Change,
  type Item,
  toItem,
} from "../watches/watch_validators.ts";
import { readWholeStore } from "../whole_store.ts";
import { base64, callEtcd } from "./call.ts";
import type { Cluster } from "./cluster.ts";
import { beginningWith, openTestStore, type TestStore } from "./stores.ts";

/** The amount and the speed of the writes. */
export interface AcknowledgedOptions {
  readonly cluster: Cluster;
  readonly prefix: string;
  /** The least number of acknowledged writes. */
  readonly writes: number;
  /** The least duration of the run, in seconds. */
  readonly seconds: number;
  /** The most calls that each store runs at the same time. */
  readonly callers: number;
  /** Called again and again during the writes. @default {nothing} */
  readonly disturb?: () => Promise<void>;
}

/** The counts of a run. */
export interface AcknowledgedReport {
  acknowledged: number;
  /** Writes that ended with `UnknownOutcomeError`. */
  unknown: number;
  /** Writes that ended with an error that promises that nothing was done. */
  refused: number;
  changes: number;
  /** Events that the watches saw. */
  events: number;
  ms: number;
}

/** One write in this many increments the counter. */
const COUNTED = 5;
/** How long a store retries, in ms: longer than any election takes. */
const BUSY_TIMEOUT = 30_000;

/** Writes and watches until enough is acknowledged, and asserts that nothing is lost. */
export async function assertAcknowledgedSurvive(
  options: AcknowledgedOptions,
): Promise<AcknowledgedReport> {
  const { cluster, prefix } = options;
  await using stack = new AsyncDisposableStack();
  const stores: TestStore[] = [];
  for (const first of cluster.endpoints) {
    const endpoints = beginningWith(cluster.endpoints, first);
    const busyTimeout = BUSY_TIMEOUT;
    stores.push(
      stack.use(await openTestStore({ endpoints, prefix, busyTimeout })),
    );
  }
  const start = performance.now();
  const watches = stores.map((store) => stack.use(new Recorder(store)));
  const writers = new Writers(options, stores);
  let isWriting = true;
  const disturbed = (async () => {
    while (isWriting && options.disturb) await options.disturb();
  })();
  try {
    await writers.run();
  } finally {
    isWriting = false;
    await disturbed;
  }
  const ms = Math.round(performance.now() - start);

  await using store = await openTestStore({
    endpoints: cluster.endpoints,
    prefix,
    busyTimeout: BUSY_TIMEOUT,
  });
  const { changes, head } = await readWholeStore(store);
  assertEquals(await store.verify(), []);
  changes.forEach(({ revision }, i) => assertEquals(revision, i + 1));
  assertEquals(head, changes.length);
  writers.assertEachWrittenOnce(changes);
  await writers.assertRaw();
  const cursors = new Map<number, string>();
  for (const [i, watch] of watches.entries()) {
    const items = await watch.until(head);
    assertWatchGuarantees({ changes, cursors }, {
      name: `of the store that prefers m${i}`,
      sessions: [{ kind: "k", options: WATCHED, items, until: head }],
    });
  }
  return {
    ...writers.counts,
    changes: changes.length,
    events: watches.reduce((sum, { count }) => sum + count, 0),
    ms,
  };
}

const WATCHED = { after: 0, bookmarks: true } as const;

/** Records the events of a watch. */
class Recorder implements AsyncDisposable {
  readonly #items: Item[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #until = Infinity;
  #enough = Promise.withResolvers<void>();

  constructor(store: TestStore) {
    this.#running = this.#run(store);
    this.#running.catch(() => {});
  }

  get count(): number {
    return this.#items.filter(({ type }) => type !== "bookmark").length;
  }

  /** Resolves with its events after it has seen all changes up to a revision. */
  async until(revision: number): Promise<Item[]> {
    this.#until = revision;
    if ((this.#items.at(-1)?.revision ?? 0) < revision) {
      const hanging = delay(30_000, undefined, { ref: false }).then(() => {});
      await Promise.race([this.#enough.promise, this.#running, hanging]);
    }
    return this.#items;
  }

  async #run(store: TestStore): Promise<void> {
    const { signal } = this.#stop;
    for await (const item of store.watch("k", { ...WATCHED, signal })) {
      this.#items.push(toItem(item));
      if (item.revision >= this.#until) this.#enough.resolve();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    // The recorded events show how it ended.
    await this.#running.catch(() => {});
  }
}

/** Writes each key once, and increments one counter. */
class Writers {
  readonly counts = { acknowledged: 0, unknown: 0, refused: 0 };
  readonly #options: AcknowledgedOptions;
  readonly #stores: readonly TestStore[];
  /** How the write of each key ended. */
  readonly #endings = new Map<string, string>();
  /** The revision of each acknowledged write. */
  readonly #revisions = new Map<string, number>();
  readonly #counted = { done: 0, unknown: 0 };
  #begun = 0;

  constructor(options: AcknowledgedOptions, stores: readonly TestStore[]) {
    this.#options = options;
    this.#stores = stores;
  }

  async run(): Promise<void> {
    const start = performance.now();
    const { callers } = this.#options;
    await Promise.all(
      this.#stores.flatMap((store) =>
        Array.from({ length: callers }, () => this.#write(store, start))
      ),
    );
  }

  async #write(store: TestStore, start: number): Promise<void> {
    const { writes, seconds } = this.#options;
    while (this.counts.acknowledged < writes) {
      const n = this.#begun++;
      const early = start + n / writes * seconds * 1_000 - performance.now();
      if (early > 0) await delay(early);
      const ending = n % COUNTED === 0
        ? await this.#increment(store)
        : await this.#set(store, `${n}`.padStart(8, "0"), n);
      this.counts[ending]++;
    }
  }

  async #set(store: TestStore, key: string, n: number) {
    const ending = await endingOf(
      store.set("k", key, n).then(({ revision, version }) => {
        assertEquals(version, 1, `${key} was written twice`);
        this.#revisions.set(key, revision);
      }),
    );
    this.#endings.set(key, ending);
    return kindOf(ending);
  }

  async #increment(store: TestStore) {
    const ending = kindOf(
      await endingOf(store.update("k", "n", (n) => n + 1, { initial: 0 })),
    );
    if (ending === "acknowledged") this.#counted.done++;
    if (ending === "unknown") this.#counted.unknown++;
    return ending;
  }

  /** Asserts that the log has all acknowledged writes, and no refused one. */
  assertEachWrittenOnce(changes: readonly Change[]): void {
    const found = new Map<string, Change[]>();
    for (const change of changes) {
      const others = found.get(change.key);
      if (others) others.push(change);
      else found.set(change.key, [change]);
    }
    for (const [key, ending] of this.#endings) {
      const of = found.get(key) ?? [];
      const what = `${key}, which ended with ${ending}`;
      assert(of.length <= 1, `${what}, was written ${of.length} times`);
      const [change] = of;
      if (ending === "done") {
        assertEquals(change?.revision, this.#revisions.get(key), what);
        assertEquals(change.value, `${Number(key)}`, what);
      } else if (ending === "StoreUnavailableError") {
        assertEquals(change, undefined, what);
      }
    }
    const counts = (found.get("n") ?? []).map(({ value }) => Number(value));
    assertEquals(counts, counts.map((_, i) => i + 1));
    const { done, unknown } = this.#counted;
    const { length } = counts;
    assert(
      length >= done && length <= done + unknown,
      `counted ${length}: ${done} acknowledged, ${unknown} unknown`,
    );
  }

  /** Asks etcd itself, which counts the writes of each key. */
  async assertRaw(): Promise<void> {
    const { cluster, prefix } = this.#options;
    const request = {
      key: base64(prefix),
      range_end: base64(`${prefix}\x01`),
      keys_only: true,
    };
    // Leaders may still be killed.
    const { kvs } = await until("etcd tells its keys", async () => {
      const member = await cluster.leader();
      return await callEtcd<{ kvs: { key: string; version: string }[] }>(
        member,
        "/v3/kv/range",
        request,
      ).catch(() => undefined);
    });
    const versions = new Map(kvs.map(({ key, version }) => {
      const text = new TextDecoder().decode(Uint8Array.fromBase64(key));
      return [text.slice(text.lastIndexOf("\0") + 1), version];
    }));
    for (const key of this.#revisions.keys()) {
      assertEquals(versions.get(key), "1", `etcd wrote ${key} once`);
    }
  }
}

const KINDS: Record<string, "acknowledged" | "unknown" | "refused"> = {
  done: "acknowledged",
  UnknownOutcomeError: "unknown",
  StoreUnavailableError: "refused",
};

function kindOf(ending: string) {
  const kind = KINDS[ending];
  assert(kind, `A write ended with ${ending}`);
  return kind;
}
