/**
 * What a writer of a crowd did, by its own account. The keys that begin with
 * its name are its own: of those it knows beforehand what each write changes.
 *
 * @module
 */
import type { ChangeType } from "../../../src/contract/watch.ts";
import { told } from "../watches/telling.ts";

/** A change that a writer made. */
export interface OwnChange {
  /** See `told`. */
  told: string;
  /** Where the writer was given it. */
  revision?: number;
}

interface OwnEntry {
  version: number;
  value: unknown;
}

/** The account of one writer. */
export class Account {
  /** The writer's name. */
  readonly writer: string;
  /** In the order in which they were made. */
  readonly changes: OwnChange[] = [];
  readonly #entries = new Map<string, OwnEntry>();
  #values = 0;

  /** Takes the writer's name. */
  constructor(writer: string) {
    this.writer = writer;
  }

  /** How many changes there are. */
  get length(): number {
    return this.changes.length;
  }

  /** One of the writer's own keys, in the order of their numbers. */
  ownKey(number: number): string {
    return `${this.writer}/${String(number).padStart(4, "0")}`;
  }

  /** A value that nobody has written before. */
  nextValue(): { of: string; n: number } {
    return { of: this.writer, n: ++this.#values };
  }

  /** The version of an own entry, 0 where there is none. */
  versionOf(kind: string, key: string): number {
    return this.#entries.get(`${kind}/${key}`)?.version ?? 0;
  }

  /** Notes that an own key gets a new value, and gives that. */
  put(kind: string, key: string, value: unknown = this.nextValue()): unknown {
    const version = this.versionOf(kind, key) + 1;
    this.#entries.set(`${kind}/${key}`, { version, value });
    this.reserve()(kind, key, value, {
      status: version === 1 ? "created" : "updated",
      version,
    });
    return value;
  }

  /** Notes that an own key is deleted, if it is there, and gives its value. */
  remove(kind: string, key: string): unknown {
    const entry = this.#entries.get(`${kind}/${key}`);
    if (!entry) return undefined;
    this.#entries.delete(`${kind}/${key}`);
    this.changes.push({ told: tell("delete", kind, key, entry) });
    return entry.value;
  }

  /** Keeps the next place in the account, for a change whose result is to come. */
  reserve(): (
    kind: string,
    key: string,
    value: unknown,
    result: { status: string; version: number; revision?: number },
  ) => void {
    const change: OwnChange = { told: "nothing" };
    this.changes.push(change);
    return (kind, key, value, { status, version, revision }) => {
      const type = status === "created" ? "create" : "update";
      change.told = tell(type, kind, key, { version, value });
      change.revision = revision;
    };
  }
}

function tell(
  type: ChangeType,
  kind: string,
  key: string,
  { version, value }: OwnEntry,
): string {
  return told({ type, kind, key, version }, JSON.stringify(value));
}
