/**
 * What a mirror told, to be compared with the change log.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Mirror, MirrorChange, MirrorOptions } from "../../mod.ts";
import { entriesOf, PatchedList } from "../../src/testing/mirrors.ts";
import type { Change } from "./watches/watch_validators.ts";

/** The changes of a mirror, from the moment at which it is recorded. */
export class MirrorRecord<T> {
  readonly #mirror: Mirror<T>;
  readonly #where: NonNullable<MirrorOptions<T>["where"]>;
  readonly #begin: { readonly revision: number; readonly shown: Shown };
  readonly #changes: MirrorChange<T>[] = [];
  /** The list that its patches keep. */
  readonly list: PatchedList<T> = new PatchedList();

  /** Begins, and takes the `where` of the mirror. */
  constructor(mirror: Mirror<T>, where?: MirrorOptions<T>["where"]) {
    this.#mirror = mirror;
    this.#where = where ?? (() => true);
    this.#begin = { revision: mirror.revision, shown: textsOf(mirror) };
    this.list.entries.push(...entriesOf(mirror));
    mirror.addEventListener("change", ({ detail }) => {
      this.#changes.push(detail);
      this.list.apply(detail.patches);
    });
  }

  /** How many changes it has told. */
  get length(): number {
    return this.#changes.length;
  }

  /**
   * Asserts that the mirror was, at each of its revisions, what the changes of
   * its kind up to there make.
   */
  assertPrefixOf(changes: readonly Change[]): void {
    const all = changes.filter(({ kind }) => kind === this.#mirror.kind);
    const model: Shown = new Map();
    let next = 0;
    const advance = (revision: number) => {
      for (; next < all.length && all[next].revision <= revision; next++) {
        const { key, type, value } = all[next];
        const isThere = type !== "delete" &&
          this.#where(key, JSON.parse(value));
        if (isThere) model.set(key, textOf(JSON.parse(value)));
        else model.delete(key);
      }
    };
    advance(this.#begin.revision);
    assertEquals(this.#begin.shown, model, "at first");
    const shown = new Map(this.#begin.shown);
    for (const { revision, patches } of this.#changes) {
      for (const { type, key, value } of patches) {
        if (type === "left") shown.delete(key);
        else shown.set(key, textOf(value));
      }
      advance(revision);
      assertSame(shown, model, `at revision ${revision}`);
    }
  }
}

/** Values as text, by key. */
type Shown = Map<string, string>;

function textsOf<T>(mirror: ReadonlyMap<string, T>): Shown {
  return new Map(mirror.entries().map(([key, value]) => [key, textOf(value)]));
}

function textOf(value: unknown): string {
  return JSON.stringify(value);
}

/** The same as `assertEquals`, for maps that are compared often. */
function assertSame(a: Shown, b: Shown, what: string): void {
  const isSame = a.size === b.size &&
    a.entries().every(([key, value]) => b.get(key) === value);
  if (!isSame) assertEquals(a, b, what);
}
