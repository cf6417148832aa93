/**
 * Facts about a store, in words for people, and the findings of `verify`.
 *
 * @module
 */
import type { OperationOptions } from "../contract/operation.ts";
import type { Store } from "../contract/store.ts";
import { ALL_KEYS } from "../keys/key_range.ts";
import type { Inspection } from "../store/inspection.ts";
import type { RememberedCodecs } from "../values/codecs/remembered_codecs.ts";
import type { Fact, InfoAnswer, KindCount, Note, VerifyAnswer } from "./api.ts";

/** The information of a store. It has more properties, depending on the engine. */
interface Told {
  readonly kinds: readonly { readonly kind: string; readonly count: number }[];
  readonly log?: {
    readonly oldest: number;
    readonly newest: number;
    readonly count: number;
  };
}

/** A store that has information about itself. */
interface DescribedStore extends Store {
  info(options?: OperationOptions): Promise<Told>;
}

/** The titles of the properties, in the order of display. */
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

/** The properties that are numbers of bytes. */
const BYTES: readonly string[] = ["size", "walSize", "logSize", "databaseSize"];

/** The facts about a store. */
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

/** The facts about a store without information, such as one in memory. */
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

/** A structured property as text. */
function textOf(name: string, value: unknown): string {
  if (name !== "codecs") return JSON.stringify(value);
  const { fallback, named } = value as RememberedCodecs;
  const ofKinds = named.map(({ kind, codec }) => `${kind}: ${codec}`);
  return [fallback, ...ofKinds].join(", ");
}

/** A larger write-ahead log grows without end, or a connection reads an old state. In bytes. */
const LARGE_WAL = 64 * 1024 * 1024;

/** The notes that follow from the information. */
function notesOf(told: Readonly<Record<string, unknown>>): Note[] {
  const { checkpoints, sqliteVersion, walSize, isNotified, readOnly } = told;
  const notes: Note[] = [];
  if (checkpoints === "exclusive") {
    notes.push({
      level: "info",
      text:
        `SQLite ${sqliteVersion} is older than 3.51.3, and can lose commits if one connection checkpoints the write-ahead log while another writes. The store checkpoints while nobody can write, so it loses none; make sure that all other programs that write the file use 3.51.3 or newer.`,
    });
  }
  if (typeof walSize === "number" && walSize > LARGE_WAL) {
    notes.push({
      level: "warning",
      text:
        "The write-ahead log is large. A connection reads an old state for a long time, or no connection checkpoints the log. End long reads, then run zestor compact.",
    });
  }
  if (isNotified === false) {
    notes.push({
      level: "info",
      text:
        "The server does not notify the watches, so they ask it ten times a second. While no watch waits, this is normal.",
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

/** Verifies a store, once for all requests at the same time. */
export class Verifier {
  readonly #store: Store;
  #running: Promise<VerifyAnswer> | undefined;

  /** Takes the store. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** The findings. */
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
