/**
 * What a store tells of itself, in words for people, and what `verify` finds.
 *
 * @module
 */
import type { OperationOptions } from "../contract/operation.ts";
import type { Store } from "../contract/store.ts";
import { ALL_KEYS } from "../keys/key_range.ts";
import type { Inspection } from "../store/inspection.ts";
import type { RememberedCodecs } from "../values/codecs/remembered_codecs.ts";
import type { Fact, InfoAnswer, KindCount, Note, VerifyAnswer } from "./api.ts";

/** What a store tells of itself; more of it depends on what keeps the store. */
interface Told {
  readonly kinds: readonly { readonly kind: string; readonly count: number }[];
  readonly log?: {
    readonly oldest: number;
    readonly newest: number;
    readonly count: number;
  };
}

/** A store that tells what it is. */
interface DescribedStore extends Store {
  info(options?: OperationOptions): Promise<Told>;
}

/** The titles of what stores tell, in the order to show it in. */
const TITLES: Readonly<Record<string, string>> = {
  path: "File",
  url: "Database",
  schema: "Schema",
  driver: "Driver",
  sqliteVersion: "SQLite",
  serverVersion: "PostgreSQL",
  prefix: "Prefix",
  etcdVersion: "etcd",
  format: "Format",
  codecs: "Codecs",
  journalMode: "Journal mode",
  checkpoints: "Checkpoints",
  isNotified: "Notified by the server",
  size: "Size",
  walSize: "Write-ahead log",
  logSize: "Change log",
  databaseSize: "All of the cluster",
  readOnly: "Read-only because",
};

/** The facts that are a number of bytes. */
const BYTES: readonly string[] = ["size", "walSize", "logSize", "databaseSize"];

/** What a store is. */
export async function readInfo(
  store: Store,
  inspection: Inspection,
  signal: AbortSignal,
): Promise<InfoAnswer> {
  const told = isDescribed(store)
    ? await store.info({ signal })
    : await describe(inspection, signal);
  const { kinds, log, ...rest } = told;
  return {
    facts: factsOf(rest),
    notes: notesOf(rest),
    ...(log ? { log } : {}),
    kinds: kinds.map(({ kind, count }): KindCount => ({
      kind,
      count,
      codec: inspection.values.codecOf(kind),
    })),
  };
}

function isDescribed(store: Store): store is DescribedStore {
  return typeof (store as Partial<DescribedStore>).info === "function";
}

/** What can be told of a store that does not tell it itself, as one in memory. */
async function describe(
  { engine, read, place }: Inspection,
  signal: AbortSignal,
): Promise<Told & { readonly driver: string }> {
  return await read("read info", async () => {
    const names = await engine.kinds(signal);
    const kinds = [];
    for (const kind of names) {
      const count = await engine.count(kind, ALL_KEYS, undefined, signal);
      kinds.push({ kind, count });
    }
    const newest = await engine.log.head();
    const oldest = await engine.log.oldest();
    const log = { oldest, newest, count: newest - oldest + 1 };
    return { driver: place.engine, kinds, log };
  }, signal);
}

function factsOf(told: Readonly<Record<string, unknown>>): Fact[] {
  const known = Object.keys(TITLES).filter((name) => name in told);
  const others = Object.keys(told).filter((name) => !(name in TITLES));
  return [...known, ...others].map((name) => {
    const value = told[name];
    const isPlain = ["string", "number", "boolean"].includes(typeof value);
    return {
      name,
      title: TITLES[name] ?? name,
      value: isPlain ? value as Fact["value"] : textOf(name, value),
      ...(BYTES.includes(name) ? { unit: "bytes" as const } : {}),
    };
  });
}

/** What is no plain value, as text. */
function textOf(name: string, value: unknown): string {
  if (name !== "codecs") return JSON.stringify(value);
  const { fallback, named } = value as RememberedCodecs;
  const ofKinds = named.map(({ kind, codec }) => `${kind}: ${codec}`);
  return [fallback, ...ofKinds].join(", ");
}

/** A log that is larger grows without end, or somebody reads an old state: bytes. */
const LARGE_WAL = 64 * 1024 * 1024;

/** What is known of what a store tells. */
function notesOf(told: Readonly<Record<string, unknown>>): Note[] {
  const { checkpoints, sqliteVersion, walSize, isNotified, readOnly } = told;
  const notes: Note[] = [];
  if (checkpoints === "exclusive") {
    notes.push({
      level: "info",
      text:
        `SQLite ${sqliteVersion} is older than 3.51.3 and can lose commits when one connection copies the write-ahead log back while another writes. The store copies it back while nobody can write, so it loses none; let all other programs that write the file use 3.51.3 or newer.`,
    });
  }
  if (typeof walSize === "number" && walSize > LARGE_WAL) {
    notes.push({
      level: "warning",
      text:
        "The write-ahead log is large. Somebody reads an old state for a long time, or no one copies the log back. End long reads, then run zestor compact.",
    });
  }
  if (isNotified === false) {
    notes.push({
      level: "info",
      text:
        "The server does not notify the watches, so they ask it ten times a second. It is so while no watch waits, too.",
    });
  }
  if (typeof readOnly === "string") {
    notes.push({
      level: "info",
      text: `Nothing can be written: ${readOnly}`,
    });
  }
  return notes;
}

/** Verifies a store, once for all who ask at the same time. */
export class Verifier {
  readonly #store: Store;
  #running: Promise<VerifyAnswer> | undefined;

  /** Takes the store. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** What is wrong. */
  verify(): Promise<VerifyAnswer> {
    return this.#running ??= this.#verify().finally(() => {
      this.#running = undefined;
    });
  }

  async #verify(): Promise<VerifyAnswer> {
    const startedAt = new Date().toISOString();
    const start = performance.now();
    const findings = await this.#store.verify();
    const took = Math.round(performance.now() - start);
    return { findings, startedAt, took };
  }
}
