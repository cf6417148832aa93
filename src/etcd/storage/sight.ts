/**
 * The entries that a writer knows: read at one revision of etcd, or remembered
 * from its own last transactions. The remembered entries are current as long as
 * no other writer writes. The condition of the next transaction checks that.
 *
 * @module
 */
import type { EntryName } from "../../engine/write.ts";
import type { Kept } from "../format/envelope.ts";
import type { Keys } from "../format/keys.ts";
import { type PlacedRecord, recordOf } from "../format/record.ts";
import { type Gateway, READ_OF_WRITER } from "../gateway/gateway.ts";
import { firstOf, numberOf, type RangeRequest } from "../gateway/messages.ts";
import { putBack } from "../../engine/log_ends.ts";
import { idOf } from "./draft.ts";
import { keptOf } from "./entry_view.ts";

/** The most keys that one transaction of etcd reads. */
const KEYS_AT_ONCE = 100;

/** The most entries that are remembered. */
const MOST_ENTRIES = 4_096;
/** The most bytes of their values. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The entries at a record. */
export interface Seen {
  readonly record: PlacedRecord;
  readonly entries: ReadonlyMap<string, Kept | undefined>;
  /** Whether all of it was read just now. */
  readonly isFresh: boolean;
}

/** The entries that a writer knows. */
export class Sight {
  readonly #gateway: Gateway;
  readonly #keys: Keys;
  #record: PlacedRecord | undefined;
  readonly #entries = new Map<string, Kept | undefined>();
  #bytes = 0;

  /** Takes the cluster, and the store's keys. */
  constructor({ gateway, keys }: { gateway: Gateway; keys: Keys }) {
    this.#gateway = gateway;
    this.#keys = keys;
  }

  /** The entries of some names. If `isFresh`, it reads them even if it remembers them. */
  async of(names: readonly EntryName[], isFresh: boolean): Promise<Seen> {
    const record = this.#record;
    const isKnown = !isFresh && record &&
      names.every((name) => this.#entries.has(idOf(name)));
    if (isKnown && names.length > 0) {
      return { record, entries: this.#entries, isFresh: false };
    }
    return await this.#read(names);
  }

  /** Whether nobody has written since a record. */
  async isNewest({ at }: PlacedRecord): Promise<boolean> {
    const request = { key: this.#keys.record, keys_only: true };
    const found = await this.#gateway.range(request, READ_OF_WRITER);
    return numberOf(firstOf(found)?.mod_revision) === at;
  }

  async #read(names: readonly EntryName[]): Promise<Seen> {
    const entries = new Map<string, Kept | undefined>();
    const ask = async (requests: readonly RangeRequest[]) =>
      await this.#gateway.ranges(requests, READ_OF_WRITER);
    let record: PlacedRecord | undefined;
    let at: string | undefined;
    let i = 0;
    do {
      const part = names.slice(i, i + KEYS_AT_ONCE);
      i += KEYS_AT_ONCE;
      const requests = [
        { key: this.#keys.record },
        ...part.map(({ kind, key }) => ({ key: this.#keys.entry(kind, key) })),
      ];
      const { revision, found } = await ask(
        at === undefined
          ? requests
          : requests.map((request) => ({ ...request, revision: at! })),
      );
      at ??= String(revision);
      const [kv, ...kvs] = found.map(firstOf);
      if (!kv) throw putBack("ahead", 0);
      record ??= recordOf(kv);
      for (const [j, found] of kvs.entries()) {
        const { kind, key } = part[j];
        const kept = found && keptOf(kind, key, found);
        entries.set(idOf({ kind, key }), kept);
      }
    } while (i < names.length);
    // If another writer wrote, the remembered entries may be stale.
    if (record.at !== this.#record?.at) this.forget();
    this.#record = record;
    for (const [id, kept] of entries) this.#remember(id, kept);
    return { record, entries, isFresh: true };
  }

  /**
   * Remembers the entries of the writer's own transaction. Forgets all others
   * if another writer wrote before it.
   */
  note(
    record: PlacedRecord,
    left: Iterable<readonly [EntryName, Kept | undefined]>,
  ): void {
    if (record.before !== this.#record?.at) this.forget();
    this.#record = record;
    for (const [name, kept] of left) this.#remember(idOf(name), kept);
  }

  #remember(id: string, kept: Kept | undefined): void {
    this.#bytes -= this.#entries.get(id)?.value.byteLength ?? 0;
    this.#entries.set(id, kept);
    this.#bytes += kept?.value.byteLength ?? 0;
    if (this.#entries.size <= MOST_ENTRIES && this.#bytes <= MOST_BYTES) return;
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Forgets all. */
  forget(): void {
    this.#record = undefined;
    this.#entries.clear();
    this.#bytes = 0;
  }
}
