/**
 * Processes that are killed while they write and watch a store; after each round
 * the store must hold every write that was acknowledged, and of the others each
 * whole or not at all.
 *
 * Each writer makes up its writes from a seed, on kinds of its own. So the test
 * knows them, and the model what each should do: the change log must be
 * what the model says of the first so many writes.
 *
 * @module
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { WatchEvent } from "../../../mod.ts";
import { Model } from "../model/model.ts";
import type { Outcome } from "../model/operations.ts";
import { ownWrite, randomWrite } from "../model/random_operations.ts";
import { type Peer, startStorePeer } from "./peer.ts";
import { openPlace, type StorePlace, type TestPlace } from "./places.ts";
import { Random } from "../random.ts";
import type { RawFile } from "../raw_file.ts";
import type { Acknowledgement, WriteUntilKilledArgs } from "./store_peer.ts";
import { type TempDir, tempDir } from "../temp_dir.ts";
import {
  assertWatchGuarantees,
  type Change,
  revisionOf,
  type Session,
  toItem,
} from "../watches/watch_validators.ts";

/** What to kill, and how often. */
export interface CrashOptions {
  /** Where the entries are; it may be in the directory. */
  readonly place: (dir: TempDir) => TestPlace;
  readonly durability: WriteUntilKilledArgs["durability"];
  /** How many changes the log keeps; where that is not all, one process writes and none watches. */
  readonly history: number;
  readonly rounds: number;
  /** How many acknowledgements a writer lives for, at most. */
  readonly acknowledgements: number;
  /** Done once a round, when a process has begun to write. @default {nothing} */
  readonly disturb?: () => Promise<void>;
}

/** What was seen. */
export interface CrashReport {
  kills: number;
  acknowledged: number;
  /** Writes that were under way when their process was killed, and are there. */
  unacknowledged: number;
  changes: number;
  events: number;
}

/** More changes than any test makes. */
export const WHOLE_HISTORY = 1_000_000;

/** How many writes of a process may be under way at once. */
const MOST_CALLERS = 20;
/** How long a process takes to open the store, and more, in ms. */
const LONGEST_START = 500;
/** How long it may take to see what is there, in ms. */
const HANGING = 60_000;

/** Runs rounds of writing and killing in one place. */
export async function assertSurvivesCrashes(
  random: Random,
  options: CrashOptions,
): Promise<CrashReport> {
  await using dir = await tempDir();
  const test = new CrashTest(random, options.place(dir), options);
  for (let round = 0; round < options.rounds; round++) await test.run(round);
  await test.finish();
  return test.report;
}

/** One who writes, is killed, and is started again. */
interface Writer {
  readonly name: string;
  /** What must be there of what it wrote. */
  readonly model: Model;
}

/** A writer's process, from start to kill. */
interface Life {
  readonly seed: string;
  readonly callers: number;
  /** What it told of its writes. */
  readonly told: readonly Acknowledgement[];
}

class CrashTest {
  readonly report: CrashReport = {
    kills: 0,
    acknowledged: 0,
    unacknowledged: 0,
    changes: 0,
    events: 0,
  };
  readonly #random: Random;
  readonly #place: TestPlace;
  readonly #options: CrashOptions;
  readonly #writers: readonly Writer[];
  readonly #watchedKind = "anna/users";
  readonly #sessions: Session[] = [];
  /** What is there after a round. */
  #found: RawFile = { head: 0, changes: [], entries: [] };
  /** The last revision of each transaction. */
  readonly #commits = new Set<number>();

  constructor(random: Random, place: TestPlace, options: CrashOptions) {
    this.#random = random;
    this.#place = place;
    this.#options = options;
    const names = this.#isWhole ? ["anna", "bert"] : ["anna"];
    this.#writers = names.map((name) => ({ name, model: new Model() }));
  }

  /** Lets processes write and watch, kills them, and looks at what they leave. */
  async run(round: number): Promise<void> {
    await using watcher = this.#isWhole ? this.#startWatcher(round) : undefined;
    const watching = watcher && this.#follow(watcher);
    const writing = Promise.withResolvers<void>();
    const disturbed = writing.promise.then(this.#options.disturb);
    const lives = await Promise.all(
      this.#writers.map(({ name }, i) =>
        this.#live(name, round, round + i, writing.resolve)
      ),
    );
    writing.resolve();
    await disturbed;
    await watcher?.kill();
    await watching;
    this.report.kills += lives.length + (watcher ? 1 : 0);

    await this.#read();
    lives.forEach((life, i) => this.#replay(this.#writers[i], life));
    this.#assertLogIsTheWriters();
    this.#assertTableIsTheModels();
  }

  async #live(
    writer: string,
    round: number,
    process: number,
    onWriting: () => void,
  ): Promise<Life> {
    const random = this.#random;
    const seed = `${random.seed}/${writer}/${round}`;
    const callers = random.between(1, MOST_CALLERS);
    const lifetime = random.below(this.#options.acknowledgements);
    await using peer = startStorePeer("writeUntilKilled", {
      ...this.#openingOf(process),
      durability: this.#options.durability,
      writer,
      seed,
      callers,
    });
    const told = await killAfter(peer, lifetime, new Random(seed), onWriting);
    return { seed, callers, told };
  }

  /** Watches from where the last watcher was killed, to the end. */
  async finish(): Promise<void> {
    this.report.changes = this.#found.head;
    await using store = await openPlace(this.#openingOf(0));
    assertEquals(await store.verify(), []);
    if (!this.#isWhole) return;
    const ofKind = this.#found.changes.filter(({ kind }) =>
      kind === this.#watchedKind
    );
    const until = ofKind.at(-1)?.revision ?? 0;
    const items: Session["items"][number][] = [];
    const session = { ...this.#nextSession(), items, until };
    const stop = new AbortController();
    // What is missing then will be told.
    const hanging = setTimeout(() => stop.abort(), HANGING);
    const { kind, options } = session;
    const watch = store.watch(kind, { ...options, signal: stop.signal });
    if (until > revisionOf(options.after ?? 0)) {
      for await (const item of watch) {
        items.push(toItem(item as WatchEvent));
        if (item.revision >= until) break;
      }
    }
    clearTimeout(hanging);
    this.#sessions.push(session);
    assertWatchGuarantees({
      changes: this.#found.changes,
      commits: this.#commits,
    }, {
      name: "the watcher that was killed",
      sessions: this.#sessions,
    });
    this.report.events = this.#sessions.flatMap(({ items }) => items).length;
  }

  get #isWhole(): boolean {
    return this.#options.history === WHOLE_HISTORY;
  }

  #openingOf(process: number): StorePlace {
    return { ...this.#place.of(process), history: this.#options.history };
  }

  // The watcher.

  #startWatcher(round: number): Peer {
    const { kind, options } = this.#nextSession();
    return startStorePeer("followUntilKilled", {
      ...this.#openingOf(round + 1),
      kind,
      options,
    });
  }

  /** Where the last one was; in the middle of a replay there is nowhere to resume from. */
  #nextSession(): Omit<Session, "items"> {
    const session = this.#sessions.at(-1);
    const after = session?.items.at(-1)?.cursor ?? session?.options.after ?? 0;
    const isBeginning = revisionOf(after) === 0;
    if (isBeginning) this.#sessions.length = 0;
    const from = isBeginning ? { initial: true } : { after };
    return { kind: this.#watchedKind, options: { ...from, bookmarks: true } };
  }

  async #follow(watcher: Peer): Promise<void> {
    const items: Session["items"][number][] = [];
    this.#sessions.push({ ...this.#nextSession(), items });
    for await (const item of watcher.messages<Session["items"][number]>()) {
      items.push(item);
    }
  }

  // What is there.

  async #read(): Promise<void> {
    this.#found = await this.#place.read();
    const { head, changes } = this.#found;
    changes.forEach(({ revision }, i) => {
      const expected = head - changes.length + 1 + i;
      assertEquals(revision, expected, "the log has every revision");
    });
    if (this.#isWhole) assertEquals(changes.length, head);
  }

  /** Does in the model what a writer did, as far as the log tells. */
  #replay(
    { name, model }: Writer,
    { seed, callers, told }: Life,
  ): void {
    const own = this.#ownLog(name);
    const changes = this.#isWhole ? own.length : this.#found.head;
    const random = new Random(seed);
    const outcomes = new Map(told);
    // Writes settle in order, but for a few turns: those before are there, too.
    const acknowledged = Math.max(-1, ...outcomes.keys()) + 1;
    let n = 0;
    for (; n < acknowledged || model.revision < changes; n++) {
      assert(n < told.length + callers, `${name} made changes it never called`);
      const write = ownWrite(randomWrite(random, n), name);
      const expected = withoutRevision(model.apply(write));
      const outcome = outcomes.get(n);
      if (!outcome) continue;
      const what = `${name}'s write ${n}, ${JSON.stringify(write)}`;
      assertEquals(withoutRevision(outcome), expected, what);
    }
    assertEquals(
      changes,
      model.revision,
      `${name} made ${n} writes, of which ${acknowledged} were acknowledged: each is there whole, or not at all`,
    );
    this.report.acknowledged += told.length;
    this.report.unacknowledged += n - told.length;
  }

  #ownLog(writer: string): Change[] {
    return this.#found.changes.filter(({ kind }) =>
      kind.startsWith(`${writer}/`)
    );
  }

  #assertLogIsTheWriters(): void {
    this.#commits.clear();
    for (const { name, model } of this.#writers) {
      const own = this.#ownLog(name);
      const expected = own.length === 0 ? [] : model.changes.slice(-own.length);
      const unnumbered = (changes: readonly Change[]) =>
        changes.map((change) => ({ ...change, revision: 0 }));
      assertEquals(unnumbered(own), unnumbered(expected));
      if (!this.#isWhole) continue;
      own.forEach(({ revision }, i) => {
        if (model.commits.has(i + 1)) this.#commits.add(revision);
        // Nobody else's are among those of a transaction.
        else assertEquals(own[i + 1]?.revision, revision + 1);
      });
    }
  }

  #assertTableIsTheModels(): void {
    const expected = this.#writers.flatMap(({ model }) => model.rows());
    assertEquals(this.#found.entries, expected);
  }
}

/** Lets a writer live for so many acknowledgements; gives all that it told. */
async function killAfter(
  peer: Peer,
  lifetime: number,
  random: Random,
  onWriting: () => void,
): Promise<Acknowledgement[]> {
  const told: Acknowledgement[] = [];
  if (lifetime === 0) {
    // While it starts, or opens the store.
    await delay(random.below(LONGEST_START));
    await peer.kill();
  }
  for await (const message of peer.messages<Acknowledgement>()) {
    told.push(message);
    onWriting();
    if (told.length === lifetime) await peer.kill();
  }
  assertGreaterOrEqual(told.length, lifetime, "a writer ended by itself");
  return told;
}

/** The names of what tells a revision. */
const REVISIONS = ["revision", "deleteRevision"];

/** What came of a write, as JSON tells it; revisions are the whole log's. */
function withoutRevision(outcome: Outcome): unknown {
  const text = JSON.stringify(
    outcome,
    (name, value) => REVISIONS.includes(name) ? undefined : value,
  );
  return JSON.parse(text);
}
