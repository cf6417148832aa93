/**
 * Makes the entries of a target equal to those of a source, at one moment.
 *
 * The invariants:
 * - An equal entry is not written. So an interrupted copy continues where it
 *   was.
 * - A written entry has the version, the time and the expiry of the source. An
 *   entry that differs is deleted, then created.
 * - Memory holds at most a batch, and a page of each store.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import type { Reads } from "../../contract/reads.ts";
import type { Store } from "../../contract/store.ts";
import { type EntryLine, linesOf, pairsOf, streamOf } from "./lines.ts";

/** How many entries a batch has at most. */
const MOST_ENTRIES = 1_000;

/** A batch with this many characters of lines takes no more. */
const MOST_TEXT = 1_000_000;

/** How many entries are deleted in one transaction at most. */
const MOST_DELETED = 256;

/** The result of a copy, as numbers of entries. */
export interface CopyResult {
  /** Entries of the source that were compared. */
  entries: number;
  /** Entries that the target did not have. */
  created: number;
  /** Entries of the target that differed. */
  replaced: number;
  /** Entries that only the target had. */
  deleted: number;
  /** Entries of the target that were equal. */
  unchanged: number;
  /** Entries that the target cannot hold. */
  refused: number;
}

/** An entry that the target cannot hold. */
export interface RefusedEntry {
  readonly kind: string;
  readonly key: string;
  /** Why. */
  readonly reason: string;
}

/** The copy to make, and its callbacks. */
export interface EntriesCopy {
  /** The kinds. Absent: all kinds. */
  readonly kinds?: readonly string[];
  readonly signal: AbortSignal;
  /** Called after each batch. */
  readonly onProgress?: (soFar: CopyResult) => void;
  /** Called for each entry that the target cannot hold. */
  readonly onRefused?: (refused: RefusedEntry) => void;
}

/** The treatment of entries that only the target has. */
export type ExtraEntries = "keep" | "delete";

/** Copies the entries. */
export async function copyEntries(
  source: Reads,
  target: Store,
  extra: ExtraEntries,
  copy: EntriesCopy,
): Promise<CopyResult> {
  const { kinds, signal } = copy;
  const writing = new Writing(target, copy);
  const pairs = pairsOf(
    linesOf(source, kinds, signal),
    linesOf(target, kinds, signal),
  );
  for await (const { source, target } of pairs) {
    if (source === undefined) {
      if (extra === "delete") writing.delete(target!);
    } else if (source.content === target?.content) writing.keep();
    else writing.put(source, target);
    if (writing.isFull) await writing.flush();
  }
  await writing.flush();
  return writing.result;
}

/** An entry that only the target has, if there is one. */
export async function findExtra(
  source: Reads,
  target: Store,
  { kinds, signal }: EntriesCopy,
): Promise<EntryLine | undefined> {
  const pairs = pairsOf(
    linesOf(source, kinds, signal),
    linesOf(target, kinds, signal),
  );
  for await (const { source, target } of pairs) {
    if (source === undefined) return target;
  }
  return undefined;
}

/** Collects the writes, and carries them out. */
class Writing {
  readonly #target: Store;
  readonly #copy: EntriesCopy;
  readonly #result: CopyResult = {
    entries: 0,
    created: 0,
    replaced: 0,
    deleted: 0,
    unchanged: 0,
    refused: 0,
  };
  #puts: EntryLine[] = [];
  #text = 0;
  #deletes: EntryLine[] = [];
  #replaced = 0;
  #looked = 0;

  constructor(target: Store, copy: EntriesCopy) {
    this.#target = target;
    this.#copy = copy;
  }

  get result(): CopyResult {
    return { ...this.#result };
  }

  get isFull(): boolean {
    return this.#looked >= MOST_ENTRIES || this.#text >= MOST_TEXT;
  }

  keep(): void {
    this.#looked++;
    this.#result.entries++;
    this.#result.unchanged++;
  }

  delete(line: EntryLine): void {
    this.#looked++;
    this.#deletes.push(line);
  }

  put(line: EntryLine, before: EntryLine | undefined): void {
    this.#looked++;
    this.#result.entries++;
    this.#puts.push(line);
    this.#text += line.text.length;
    if (before === undefined) return;
    this.#deletes.push(before);
    this.#replaced++;
  }

  async flush(): Promise<void> {
    const puts = this.#puts;
    const deletes = this.#deletes;
    const replaced = this.#replaced;
    this.#puts = [];
    this.#deletes = [];
    this.#text = this.#looked = this.#replaced = 0;
    await this.#delete(deletes);
    this.#result.deleted += deletes.length - replaced;
    const { created, refused } = await this.#create(puts);
    const again = Math.min(created, replaced);
    this.#result.created += created - again;
    this.#result.replaced += again;
    this.#result.refused += refused;
    this.#copy.onProgress?.(this.result);
  }

  async #delete(lines: readonly EntryLine[]): Promise<void> {
    const { signal } = this.#copy;
    for (let at = 0; at < lines.length; at += MOST_DELETED) {
      const operation = this.#target.atomic();
      for (const { kind, key } of lines.slice(at, at + MOST_DELETED)) {
        operation.delete(kind, key);
      }
      await operation.commit({ signal });
    }
  }

  async #create(
    lines: readonly EntryLine[],
  ): Promise<{ readonly created: number; readonly refused: number }> {
    const { signal, onRefused } = this.#copy;
    if (lines.length === 0) return { created: 0, refused: 0 };
    return await this.#target.import(
      streamOf(lines.map(({ text }) => text)),
      {
        signal,
        onRefused({ line, reason }) {
          const { kind, key } = lines[line - 1];
          onRefused?.({ kind, key, reason });
        },
      },
    );
  }
}

/** The message for an entry that the target cannot hold. */
export function refusalText({ kind, key, reason }: RefusedEntry): string {
  return `Cannot copy ${quote(kind, key)}: ${reason}`;
}
