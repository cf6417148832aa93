/**
 * Tells a stream that is no NDJSON (an array over many lines, say, or another
 * file) from one with some lines that are wrong.
 *
 * @module
 */
import { ImportError } from "../../contract/errors.ts";

/** An import stops after this many lines without an entry, at the beginning. */
const MOST_AT_FIRST = 10;

/** An import stops after this many in a row, once there was an entry. */
const MOST_IN_A_ROW = 100;

const EXPECTED =
  'expected NDJSON, one object a line, such as {"kind":"users","key":"alice","value":1}';

/** A line that is no entry. */
interface NoEntry {
  readonly number: number;
  readonly reason: string;
}

/** Counts the lines that are no entries, whatever they are. */
export class FormatGuard {
  #hasEntry = false;
  #first: NoEntry | undefined;
  #last = 0;
  #count = 0;

  /** Notes a line that is an entry, whether it can be imported or not. */
  passEntry(): void {
    this.#hasEntry = true;
    this.#first = undefined;
    this.#count = 0;
  }

  /** Notes a line that is no entry. Returns the reason to tell: the first one says what is expected. */
  passOther(line: NoEntry): string {
    this.#first ??= line;
    this.#last = line.number;
    this.#count++;
    const isFirst = !this.#hasEntry && this.#count === 1;
    return isFirst ? `${line.reason}; ${EXPECTED}` : line.reason;
  }

  /** Why to stop: too many lines in a row are no entries. */
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
