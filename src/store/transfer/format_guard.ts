/**
 * Distinguishes a stream that is not NDJSON, such as an array over many lines
 * or another file, from one with some wrong lines.
 *
 * @module
 */
import { ImportError } from "../../contract/errors.ts";

/** An import stops if this many lines at the beginning are not entries. */
const MOST_AT_FIRST = 10;

/**
 * Once there was an entry, an import stops after this many lines in a row that
 * are not entries.
 */
const MOST_IN_A_ROW = 100;

const EXPECTED =
  'expected NDJSON, one object a line, such as {"kind":"users","key":"alice","value":1}';

/** A line that is not an entry. */
interface NoEntry {
  readonly number: number;
  readonly reason: string;
}

/** Counts the lines that are not entries. */
export class FormatGuard {
  #hasEntry = false;
  #first: NoEntry | undefined;
  #last = 0;
  #count = 0;

  /** Notes a line that is an entry, even if it cannot be imported. */
  passEntry(): void {
    this.#hasEntry = true;
    this.#first = undefined;
    this.#count = 0;
  }

  /**
   * Notes a line that is not an entry. Returns the reason to report; the first
   * one says what is expected.
   */
  passOther(line: NoEntry): string {
    this.#first ??= line;
    this.#last = line.number;
    this.#count++;
    const isFirst = !this.#hasEntry && this.#count === 1;
    return isFirst ? `${line.reason}; ${EXPECTED}` : line.reason;
  }

  /** The reason to stop: too many lines in a row are not entries. */
  get failure(): ImportError | undefined {
    const most = this.#hasEntry ? MOST_IN_A_ROW : MOST_AT_FIRST;
    if (this.#count < most) return undefined;
    const { number, reason } = this.#first!;
    return new ImportError(
      number,
      `none of the lines ${number} to ${this.#last} is an entry, this one because: ${reason}; ${EXPECTED}`,
    );
  }
}
