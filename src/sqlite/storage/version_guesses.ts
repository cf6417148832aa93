/**
 * The versions of the entries that a connection wrote last. Others may have
 * written them since, so a version is only a guess, and SQLite must compare it.
 *
 * @module
 */

/** The largest number of guesses. */
const MOST_GUESSES = 4_096;

/** The longest key of a guess, in UTF-16 units, so that all of them take at most a few MB. */
const LONGEST_KEY = 256;

/** The version of one entry. */
export interface VersionGuess {
  version: number;
}

/** The versions of the entries that were written last. */
export class VersionGuesses {
  readonly #byKind = new Map<string, Map<string, VersionGuess>>();
  #count = 0;

  /** The version that the connection left. The writer of the entry must set it again. */
  find(kind: string, key: string): VersionGuess | undefined {
    return this.#byKind.get(kind)?.get(key);
  }

  /** Notes the version that the connection left. */
  note(kind: string, key: string, version: number): void {
    if (key.length > LONGEST_KEY || kind.length > LONGEST_KEY) return;
    let ofKind = this.#byKind.get(kind);
    const known = ofKind?.get(key);
    if (known) {
      known.version = version;
      return;
    }
    if (this.#count === MOST_GUESSES) this.#forgetAll();
    if (this.#count === 0 || ofKind === undefined) {
      this.#byKind.set(kind, ofKind = new Map());
    }
    ofKind.set(key, { version });
    this.#count++;
  }

  #forgetAll(): void {
    this.#byKind.clear();
    this.#count = 0;
  }
}
