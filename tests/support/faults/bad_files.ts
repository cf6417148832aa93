/**
 * Files that something happened to, and what a store may make of them: a clear
 * error, or what was written, or a finding of `verify()`; never another answer
 * in silence.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreError,
  type StoreOptions,
  WatchOverflowError,
} from "../../../mod.ts";
import { CHANGED_VALUE } from "../../../src/sqlite/format/large_values.ts";
import { runChild } from "../processes/child.ts";
import { connect, fileAt } from "../connect.ts";
import type { TestDriver } from "../drivers.ts";
import { Random } from "../random.ts";
import { told } from "../watches/telling.ts";

/** The bytes of a store's files. */
export interface Files {
  readonly db: Uint8Array<ArrayBuffer>;
  readonly wal?: Uint8Array<ArrayBuffer>;
}

/** Each entry, as `kind/key@version value`, in order. */
export type State = readonly string[];

/** A store's files, and what they hold. */
export interface Sample extends Files {
  /** After each commit, from the new store on. */
  readonly states: readonly State[];
  /** The log: the kind of each change, and what is told of it. */
  readonly log: readonly (readonly [kind: string, told: string])[];
  /** The entries whose last change is no longer in the log, as `kind/key`. */
  readonly untold: ReadonlySet<string>;
}

/** What became of a file. */
export type Outcome =
  | "refused"
  | "read error"
  | "as written"
  | "an earlier state"
  | "found by check"
  | "another value that nothing can tell";

const KINDS = ["k", "l"];

// Samples.

/**
 * Writes what a sample holds: values of some bytes, and of more than a page;
 * entries that stay, change and go. The first half is checkpointed. Gives the
 * store, still open, and the state after each commit.
 */
export async function writeSample(
  open: () => Promise<SqliteStore>,
  commits: number,
): Promise<{ store: SqliteStore; states: State[] }> {
  const random = new Random("sample");
  let store = await open();
  const states = [await stateOf(store)];
  for (let n = 0; n < commits; n++) {
    if (n === Math.floor(commits / 2)) {
      await store.close();
      store = await open();
    }
    const kind = random.pick(KINDS);
    const key = `key${random.below(40)}`;
    const length = random.chance(0.05) ? 9_000 : random.below(300);
    if (random.chance(0.2)) await store.delete(kind, key);
    else await store.set(kind, key, { n, text: textOf(random, length) });
    states.push(await stateOf(store));
  }
  return { store, states };
}

/** A text without repetition: a part that is lost shows. */
function textOf(random: Random, length: number): string {
  return Array.from({ length }, () => random.below(36).toString(36)).join("");
}

/** Everything a store holds, as its streams of entries give it. */
export async function stateOf(store: SqliteStore): Promise<State> {
  const state: string[] = [];
  for (const kind of await store.kinds()) {
    for await (const { key, value, version } of store.entries(kind)) {
      state.push(`${kind}/${key}@${version} ${JSON.stringify(value)}`);
    }
  }
  return state;
}

/** How a sample is made. */
export interface SampleOptions {
  readonly commits: number;
  readonly history?: number;
  /** Whether its process ends without closing it: the second half is in the write-ahead log. */
  readonly ending: "closed" | "crashed";
}

/** Makes a sample, in another process. */
async function makeSample(
  driver: TestDriver,
  dir: string,
  { commits, history = 10_000, ending }: SampleOptions,
): Promise<Sample> {
  const own = await Deno.makeTempDir({ dir });
  const program = `
    import { writeSample } from "${import.meta.url}";
    const open = () => zestor.openStore({
      path: "sample.db",
      driver: "${driver.name}",
      durability: "normal",
      history: ${history},
    });
    const { store, states } = await writeSample(open, ${commits});
    await Deno.writeTextFile("states.json", JSON.stringify(states));
    ${ending === "crashed" ? "Deno.exit(0);" : "await store.close();"}`;
  const result = await runChild(own, program, { permissions: ["--allow-all"] });
  assertEquals(result, { code: 0, stdout: "", stderr: "" });
  const path = `${own}/sample.db`;
  const states = JSON.parse(await Deno.readTextFile(`${own}/states.json`));
  const files = {
    db: await Deno.readFile(path),
    wal: ending === "crashed" ? await Deno.readFile(`${path}-wal`) : undefined,
  };
  return { ...files, states, ...await readLog(driver, path) };
}

async function readLog(
  driver: TestDriver,
  path: string,
): Promise<Pick<Sample, "log" | "untold">> {
  using db = await connect(driver, fileAt(path));
  const rows = db.prepare(
    `SELECT type, kind, key, version,
      CAST(coalesce((${CHANGED_VALUE}), previous) AS TEXT) AS value
    FROM zestor_changes ORDER BY revision`,
  ).all() as unknown as (Parameters<typeof told>[0] & { value: string })[];
  const untold = db.prepare(
    `SELECT kind || '/' || key AS name FROM zestor_kv AS e WHERE NOT EXISTS
      (SELECT 1 FROM zestor_changes AS c WHERE c.kind = e.kind AND c.key = e.key)`,
  ).all().map(({ name }) => name as string);
  return {
    log: rows.map((row) => [row.kind, told(row, row.value)]),
    untold: new Set(untold),
  };
}

// Damage.

const PAGE = 4096;

/** How bytes are damaged, by name. */
const DAMAGES: Readonly<
  Record<string, (bytes: Uint8Array<ArrayBuffer>, random: Random) => void>
> = {
  "a bit": (bytes, random) => {
    bytes[random.below(bytes.length)] ^= 1 << random.below(8);
  },
  "a byte": (bytes, random) => {
    bytes[random.below(bytes.length)] = random.below(256);
  },
  "several bytes": (bytes, random) => {
    for (let i = random.between(2, 20); i > 0; i--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
  },
  "a run of zeros": (bytes, random) => {
    const start = random.below(bytes.length);
    bytes.fill(0, start, start + random.between(1, 600));
  },
  "the header": (bytes, random) => {
    bytes[random.below(Math.min(100, bytes.length))] = random.below(256);
  },
  "a page of zeros": (bytes, random) => {
    const start = random.below(bytes.length / PAGE) * PAGE;
    bytes.fill(0, start, start + PAGE);
  },
  "a page over another": (bytes, random) => {
    const pages = Math.floor(bytes.length / PAGE);
    const from = random.below(pages) * PAGE;
    bytes.copyWithin(random.below(pages) * PAGE, from, from + PAGE);
  },
};

/** A copy, damaged. */
function damaged(
  bytes: Uint8Array<ArrayBuffer>,
  how: string,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  DAMAGES[how](copy, random);
  return copy;
}

/** Writes files, and removes what was there beside them. */
export async function writeFiles(
  path: string,
  { db, wal }: Files,
): Promise<void> {
  for (const suffix of ["-wal", "-shm", "-journal"]) {
    await Deno.remove(path + suffix).catch(() => {});
  }
  await Deno.writeFile(path, db);
  if (wal) await Deno.writeFile(`${path}-wal`, wal);
}

/** The samples that scenarios begin with. */
export interface Samples {
  /** All of its changes are in the log. */
  readonly closed: Sample;
  /** Its log holds the last changes only. */
  readonly pruned: Sample;
  /** A part is in the write-ahead log. */
  readonly crashed: Sample;
}

/** Makes the samples. */
export async function makeSamples(
  driver: TestDriver,
  dir: string,
  commits: number,
): Promise<Samples> {
  const history = Math.ceil(commits / 4);
  const [closed, pruned, crashed] = await Promise.all([
    makeSample(driver, dir, { commits, ending: "closed" }),
    makeSample(driver, dir, { commits, history, ending: "closed" }),
    makeSample(driver, dir, { commits, ending: "crashed" }),
  ]);
  return { closed, pruned, crashed };
}

/** A damaged file, and what a store may give of it. */
export interface Damaged {
  readonly files: Files;
  readonly allowed: Allowed;
}

/** Ways to come by a damaged file, by name. */
export const SCENARIOS: Readonly<
  Record<string, (samples: Samples, random: Random) => Damaged>
> = {
  "a damaged file": ({ closed }, random) => ({
    files: { db: damaged(closed.db, anyDamage(random), random) },
    allowed: { sample: closed, earlier: false },
  }),
  "a truncated file": ({ closed }, random) => ({
    // Of no length it is a new one.
    files: { db: truncated(closed.db, 1, random) },
    allowed: { sample: closed, earlier: false },
  }),
  "a damaged file whose log was pruned": ({ pruned }, random) => ({
    files: { db: damaged(pruned.db, anyDamage(random), random) },
    allowed: { sample: pruned, earlier: false },
  }),
  "a damaged file with a write-ahead log": ({ crashed }, random) => ({
    files: {
      db: damaged(crashed.db, anyDamage(random), random),
      wal: crashed.wal,
    },
    allowed: { sample: crashed, earlier: false },
  }),
  "a truncated file with a write-ahead log": ({ crashed }, random) => ({
    files: { db: truncated(crashed.db, 0, random), wal: crashed.wal },
    allowed: { sample: crashed, earlier: false },
  }),
  "a damaged write-ahead log": ({ crashed }, random) => ({
    files: {
      db: crashed.db,
      wal: damaged(crashed.wal!, anyDamage(random), random),
    },
    allowed: { sample: crashed, earlier: true },
  }),
  "a truncated write-ahead log": ({ crashed }, random) => ({
    files: { db: crashed.db, wal: truncated(crashed.wal!, 0, random) },
    allowed: { sample: crashed, earlier: true },
  }),
};

function anyDamage(random: Random): string {
  return random.pick(Object.keys(DAMAGES));
}

function truncated(
  bytes: Uint8Array<ArrayBuffer>,
  least: number,
  random: Random,
): Uint8Array<ArrayBuffer> {
  return bytes.slice(0, random.between(least, bytes.length - 1));
}

/** Makes a damaged file, opens it in one way or another, and examines it. */
export async function tryScenario(
  name: string,
  samples: Samples,
  random: Random,
  { path, driver }: { path: string; driver: TestDriver["name"] },
): Promise<Outcome> {
  const { files, allowed } = SCENARIOS[name](samples, random);
  await writeFiles(path, files);
  return await examine({
    path: random.chance(0.2) ? `file:${path}?mode=ro` : path,
    wal: random.chance(0.8),
    driver,
    durability: "normal",
  }, allowed);
}

// What a store makes of a file.

/** What a store may give. */
export interface Allowed {
  readonly sample: Sample;
  /** Whether it may give an earlier state: one that was committed. */
  readonly earlier: boolean;
}

/**
 * Opens a file, reads all of it in every way, and checks it. Throws where it
 * raised what is no store's error, or gave something that is not allowed and
 * `verify()` found nothing.
 */
async function examine(
  options: StoreOptions,
  allowed: Allowed,
): Promise<Outcome> {
  const before = await Deno.readFile(pathOf(options));
  let store: SqliteStore;
  try {
    store = await openStore(options);
  } catch (error) {
    assertTold(error, "opening");
    if (!allowed.sample.wal) await assertLeft(pathOf(options), before);
    return "refused";
  }
  try {
    return await examineOpen(store, allowed, isReadOnly(options));
  } finally {
    await store.close();
  }
}

function pathOf({ path }: StoreOptions): string {
  return String(path).replace(/^file:(.*)\?mode=ro$/, "$1");
}

function isReadOnly({ path }: StoreOptions): boolean {
  return String(path).endsWith("mode=ro");
}

/** A file that was refused is as it was, to the byte. */
async function assertLeft(
  path: string,
  before: Uint8Array,
): Promise<void> {
  const after = await Deno.readFile(path);
  const at = after.findIndex((byte, i) => byte !== before[i]);
  assert(
    after.length === before.length && at < 0,
    `It was refused, and changed from byte ${at} on`,
  );
}

function assertTold(error: unknown, action: string): void {
  if (error instanceof StoreError) return;
  throw new Error(`A raw error in ${action}`, { cause: error });
}

async function examineOpen(
  store: SqliteStore,
  { sample, earlier }: Allowed,
  readOnly: boolean,
): Promise<Outcome> {
  const readings = new Map<string, readonly string[]>();
  let failures = 0;
  /** Of triggers that were damaged, too: what the log knew is gone. */
  let logIsNew = false;
  const read = async (name: string, work: () => Promise<readonly string[]>) => {
    try {
      const reading = await work();
      if (name !== "verify") readings.set(name, reading);
    } catch (error) {
      assertTold(error, name);
      failures++;
      logIsNew ||= error instanceof WatchOverflowError;
    }
  };
  await read("entries", () => stateOf(store));
  await read("getAll", () => allOf(store));
  await read("replay", () => replayOf(store));
  let found: number | undefined;
  await read("verify", async () => {
    found = (await store.verify()).length;
    return [];
  });
  // With a log that was pruned there is nothing to resume from.
  if (!readOnly && sample.untold.size === 0) {
    for (const kind of KINDS) {
      await read(`events of ${kind}`, () => eventsOf(store, kind));
    }
  }
  const outcome = judge(readings, sample, earlier, logIsNew);
  if (outcome === "as written" && failures > 0) return "read error";
  if (outcome !== "another") return outcome;
  // It met an error of the disk, as a file has that is too short.
  if (found === undefined) return "read error";
  if (found > 0) return "found by check";
  throw new Error(
    `It gave something else in silence: ${difference(readings, sample)}`,
  );
}

/** Everything, without versions. */
async function allOf(store: SqliteStore): Promise<string[]> {
  const all = await store.getAll();
  return [...all].flatMap(([kind, entries]) =>
    [...entries].map(([key, value]) =>
      `${kind}/${key} ${JSON.stringify(value)}`
    )
  );
}

async function replayOf(store: SqliteStore): Promise<string[]> {
  const state: string[] = [];
  for (const kind of KINDS) {
    const watch = store.watch(kind, { initial: true, bookmarks: true });
    for await (const event of watch) {
      if (event.type === "bookmark") break;
      const { key, version, value } = event;
      state.push(`${kind}/${key}@${version} ${JSON.stringify(value)}`);
    }
  }
  return state;
}

/** What hangs is a failure: so long it may take. */
const HANGING_MS = 20_000;

/** The changes of a kind, up to one that is written now. */
async function eventsOf(store: SqliteStore, kind: string): Promise<string[]> {
  const { revision } = await store.set(kind, "~probe", 1);
  const events: string[] = [];
  const signal = AbortSignal.timeout(HANGING_MS);
  for await (const event of store.watch(kind, { after: 0, signal })) {
    if (event.revision >= revision) return events;
    events.push(told(event, JSON.stringify(event.value)));
  }
  throw new Error(`The watch of "${kind}" did not give the last change`);
}

function judge(
  readings: ReadonlyMap<string, readonly string[]>,
  sample: Sample,
  earlier: boolean,
  logIsNew: boolean,
): Outcome | "another" {
  const matches = (n: number) =>
    [...readings].every(([name, reading]) =>
      equal(reading, expected(name, n, sample))
    );
  const last = sample.states.length - 1;
  if (matches(last)) return "as written";
  for (let n = last - 1; earlier && n >= 0; n--) {
    if (matches(n)) return "an earlier state";
  }
  const isUntold = [...readings].every(([name, reading]) =>
    differsInUntold(
      reading,
      expected(name, last, sample),
      (entry) => logIsNew || sample.untold.has(entry),
    )
  );
  return isUntold ? "another value that nothing can tell" : "another";
}

/** What a reading gives of a state. */
function expected(
  name: string,
  n: number,
  { states, log }: Sample,
): readonly string[] {
  const state = states[n];
  if (name === "getAll") {
    return state.map((entry) => entry.replace(/@\d+ /, " "));
  }
  if (!name.startsWith("events of ")) return state;
  // Each commit made a change, or none.
  const changes =
    states.slice(1, n + 1).filter((state, i) => !equal(state, states[i]))
      .length;
  const kind = name.slice("events of ".length);
  return log.slice(0, changes).filter(([ofKind]) => ofKind === kind)
    .map(([, told]) => told);
}

/** Whether the same entries are there, and those that differ are untold. */
function differsInUntold(
  reading: readonly string[],
  expected: readonly string[],
  isUntold: (entry: string) => boolean,
): boolean {
  return reading.length === expected.length &&
    reading.every((entry, i) => {
      const [name] = entry.split(/[@ ]/, 1);
      return entry === expected[i] ||
        (isUntold(name) && /[@ ]/.test(expected[i].at(name.length)!) &&
          expected[i].startsWith(name));
    });
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** The first place where a reading is another than it should be. */
function difference(
  readings: ReadonlyMap<string, readonly string[]>,
  sample: Sample,
): string {
  for (const [name, reading] of readings) {
    const whole = expected(name, sample.states.length - 1, sample);
    const at = Math.max(0, whole.findIndex((item, i) => item !== reading[i]));
    if (equal(reading, whole)) continue;
    return `${name} gave ${reading.length} of ${whole.length}, at ${at} ${
      reading[at]?.slice(0, 100)
    } for ${whole[at]?.slice(0, 100)}`;
  }
  return "nothing differs";
}
