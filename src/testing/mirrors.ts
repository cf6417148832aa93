/**
 * Follows a mirror as a list, by its patches.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type {
  KeyValue,
  Mirror,
  MirrorChange,
  MirrorPatch,
} from "../contract/mod.ts";
import { next, type Reader } from "./reading.ts";

/**
 * A list of keys and values that only patches change. Each patch must fit the
 * list after the patches before it.
 */
export class PatchedList<T = unknown> {
  /** The entries, in their order. */
  readonly entries: KeyValue<T>[] = [];

  /** Applies patches. */
  apply(patches: readonly MirrorPatch<T>[]): void {
    for (const patch of patches) this.#apply(patch);
  }

  #apply(patch: MirrorPatch<T>): void {
    const { type, key, value } = patch;
    const at = this.#indexOf(key);
    if (type === "entered") assertEquals(at, -1, `${key} entered twice`);
    else assertNotEquals(at, -1, `${key} ${type}, but was not there`);
    if (type === "changed" || type === "moved") {
      assertEquals(this.entries[at].value, patch.previous, `${key} ${type}`);
    }
    if (type === "changed") {
      this.entries[at] = { key, value };
      return;
    }
    if (at >= 0) this.entries.splice(at, 1);
    if (type === "left") return;
    const { follows } = patch;
    const before = follows === undefined ? -1 : this.#indexOf(follows);
    assert(follows === undefined || before >= 0, `${key} follows nothing`);
    this.entries.splice(before + 1, 0, { key, value });
  }

  #indexOf(key: string): number {
    return this.entries.findIndex((entry) => entry.key === key);
  }

  /** Asserts that it equals the mirror. */
  assertIs(mirror: ReadonlyMap<string, T>, what?: string): void {
    assertEquals(this.entries, entriesOf(mirror), what);
  }
}

/** The entries of a mirror, in their order. */
export function entriesOf<T>(mirror: ReadonlyMap<string, T>): KeyValue<T>[] {
  return Array.from(mirror, ([key, value]) => ({ key, value }));
}

/** Reads changes up to the mirror's revision, and returns their patches. */
export async function patchesUpTo<T>(
  changes: Reader<MirrorChange<T>>,
  revision: number,
): Promise<MirrorPatch<T>[]> {
  const patches: MirrorPatch<T>[] = [];
  for (;;) {
    const change = await next(changes);
    patches.push(...change.patches);
    if (change.revision >= revision) return patches;
  }
}

/** Patches in short: `"moved alice after bob"`. */
export function briefPatches(patches: readonly MirrorPatch[]): string[] {
  return patches.map((patch) =>
    "follows" in patch
      ? `${patch.type} ${patch.key} after ${patch.follows}`
      : `${patch.type} ${patch.key}`
  );
}

/** Waits until a mirror has seen a write, and returns its keys. */
export async function keysAfter(
  mirror: Mirror,
  write: Promise<{ readonly revision: number }>,
): Promise<string[]> {
  await mirror.reached((await write).revision);
  return [...mirror.keys()];
}
