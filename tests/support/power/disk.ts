/**
 * What a disk holds of a directory while a process works on it: what is durable,
 * and the changes since, each of which a loss of power may take or keep.
 *
 * It promises no more than POSIX does: to sync a file makes its bytes and its
 * size durable, to sync a directory makes its names durable, and nothing else
 * does. (ext4 also makes the name of a new file durable when the file is synced,
 * and keeps changes of names in their order. The tests do not rely on it.)
 *
 * @module
 */
import type { Step } from "./trace.ts";

/** A change of a file's bytes. */
export type DataChange =
  | { readonly at: number; readonly bytes: Uint8Array }
  | { readonly size: number };

/** A change of names: one name is removed, or leads to a file, or both in one step. */
export interface NameChange {
  readonly remove?: string;
  readonly set?: { readonly name: string; readonly file: DiskFile };
}

/** A file, whatever its names. */
export class DiskFile {
  /** What a loss of power cannot take. */
  durable: Uint8Array;
  /** The changes since, in order. */
  pending: DataChange[] = [];

  /** Takes what is durable. */
  constructor(durable: Uint8Array = new Uint8Array()) {
    this.durable = durable;
  }

  /** The bytes that a process reads. */
  read(): Uint8Array {
    return changed(this.durable, this.pending);
  }

  /** Makes all of it durable. */
  sync(): void {
    this.durable = this.read();
    this.pending = [];
  }
}

/** A directory's files and names. */
export class Disk {
  /** The names that a process finds. */
  readonly names = new Map<string, DiskFile>();
  /** The names that a loss of power cannot take. */
  durableNames = new Map<string, DiskFile>();
  /** The changes of names since, in order. */
  pendingNames: NameChange[] = [];
  readonly #files = new Map<number, DiskFile>();

  /** Adds a file that is durable, before the process begins. */
  add(name: string, inode: number, bytes: Uint8Array): void {
    const file = new DiskFile(bytes);
    this.#files.set(inode, file);
    this.names.set(name, file);
    this.durableNames.set(name, file);
  }

  /** Does what the process did. */
  apply(step: Step): void {
    switch (step.do) {
      case "open":
        return this.#open(step);
      case "write":
        this.#file(step.file).pending.push({ at: step.at, bytes: step.bytes });
        return;
      case "resize":
        this.#file(step.file).pending.push({ size: step.size });
        return;
      case "sync":
        return this.#file(step.file).sync();
      case "syncDirectory":
        this.durableNames = new Map(this.names);
        this.pendingNames = [];
        return;
      case "rename": {
        const set = { name: step.to, file: this.#named(step.name) };
        return this.#changeNames({ remove: step.name, set });
      }
      case "link": {
        const set = { name: step.to, file: this.#named(step.name) };
        return this.#changeNames({ set });
      }
      case "unlink":
        return this.#changeNames({ remove: step.name });
    }
  }

  #open({ name, file, isEmptied }: Step & { do: "open" }): void {
    if (!this.names.has(name)) {
      // The inode may have been that of a file that is gone.
      const created = new DiskFile();
      this.#files.set(file, created);
      this.#changeNames({ set: { name, file: created } });
    } else if (isEmptied) this.#file(file).pending.push({ size: 0 });
  }

  #changeNames(change: NameChange): void {
    changeNames(this.names, change);
    this.pendingNames.push(change);
  }

  #named(name: string): DiskFile {
    return known(this.names.get(name), name);
  }

  #file(inode: number): DiskFile {
    return known(this.#files.get(inode), `inode ${inode}`);
  }
}

function known<T>(file: T | undefined, name: string): T {
  if (file) return file;
  throw new Error(`Cannot follow the trace: it does not say how ${name} began`);
}

/** Changes names in place. */
export function changeNames(
  names: Map<string, DiskFile>,
  { remove, set }: NameChange,
): void {
  if (remove !== undefined) names.delete(remove);
  if (set) names.set(set.name, set.file);
}

/** A file's bytes after some changes. */
export function changed(
  before: Uint8Array,
  changes: readonly DataChange[],
): Uint8Array {
  if (changes.length === 0) return before;
  const bytes = new GrowingBytes(before);
  for (const change of changes) {
    if ("size" in change) bytes.resize(change.size);
    else bytes.write(change.at, change.bytes);
  }
  return bytes.result();
}

/** Bytes that are changed in place; where they grow without being written they are 0. */
class GrowingBytes {
  #bytes: Uint8Array;
  #size: number;

  constructor(before: Uint8Array) {
    this.#bytes = before.slice();
    this.#size = before.length;
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(size * 2);
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    // What was cut off does not come back.
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }

  write(at: number, bytes: Uint8Array): void {
    if (at + bytes.length > this.#size) this.resize(at + bytes.length);
    this.#bytes.set(bytes, at);
  }

  result(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }
}
