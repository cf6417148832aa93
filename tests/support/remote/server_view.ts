/**
 * A storage as a view: each call is of its own moment, or of a fixed time.
 *
 * @module
 */
import type {
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../../src/engine/entries.ts";
import type { Page, PageOptions } from "../../../src/engine/page.ts";
import type { View } from "../../../src/engine/view.ts";
import type { KeyRange } from "../../../src/keys/key_range.ts";
import type { MemoryStorage } from "../../../src/memory/memory_storage.ts";

/** The entries of a storage. */
export class StorageView implements View {
  readonly #storage: MemoryStorage;
  readonly #time: number | undefined;

  /** Takes the storage, and the time that the reads are of, in ms since 1970. */
  constructor(storage: MemoryStorage, time?: number) {
    this.#storage = storage;
    this.#time = time;
  }

  #read<T>(read: (storage: MemoryStorage) => T): T {
    const storage = this.#storage;
    return storage.asOf(this.#time ?? Date.now(), () => read(storage));
  }

  value(kind: string, key: string): Uint8Array | undefined {
    return this.#read((storage) => storage.getValue(kind, key));
  }

  entry(kind: string, key: string): StoredEntry | undefined {
    return this.#read((storage) => storage.getEntry(kind, key));
  }

  state(kind: string, key: string): EntryState | undefined {
    return this.#read((storage) => storage.getState(kind, key));
  }

  some(kind: string, keys: readonly string[]): StoredValue[] {
    return this.#read((storage) => storage.readSome(kind, keys));
  }

  keys(kind: string, range: KeyRange, page?: PageOptions): Page<string> {
    return this.#read((storage) => storage.readKeys(kind, range, page));
  }

  values(kind: string, range: KeyRange, page?: PageOptions): Page<StoredValue> {
    return this.#read((storage) => storage.readValues(kind, range, page));
  }

  entries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredEntry> {
    return this.#read((storage) => storage.readEntries(kind, range, page));
  }

  count(kind: string, range: KeyRange, limit?: number): number {
    return this.#read((storage) => storage.count(kind, range, limit));
  }

  kinds(): string[] {
    return this.#read((storage) => storage.listKinds());
  }
}
