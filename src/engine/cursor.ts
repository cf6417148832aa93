/**
 * Cursors: places in the change log, as text.
 *
 * A cursor names a change by its revision and its mark, a random number that is
 * drawn when the change is logged. Another store, or a store that was put back
 * to an earlier state, may have another change at the same revision. The marks
 * differ, so no watch resumes there and misses changes.
 *
 * @module
 */
import { describe, quoteText } from "../base/messages.ts";
import { LAST_NUMBER } from "./last_number.ts";

/** Marks are below this number: they have 48 bits. */
export const MARKS = 2 ** 48;

/** A change, or the beginning of a log. */
export interface Cursor {
  readonly revision: number;
  /** The mark of the change; `undefined` if only the revision is given. */
  readonly mark: number | undefined;
}

/**
 * The form of the cursors that this code makes. A change to it makes a new one.
 * A mark always has ten digits, so that a cursor that was cut is refused.
 */
const FORM = "z1";

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

/** All texts of two digits, in order. */
const PAIRS = Array.from(
  { length: 36 ** 2 },
  (_, n) => DIGITS[Math.floor(n / 36)] + DIGITS[n % 36],
);

/** Draws a mark. */
export function drawMark(): number {
  return Math.floor(Math.random() * MARKS);
}

/** The cursor of a change. */
export function cursorOf(revision: number, mark: number): string {
  return `${FORM}-${revision}-${digitsOf(mark)}`;
}

/**
 * A mark in base 36, with zeros in front. Each event has one, and this takes
 * a fifth of the time of `toString(36)`.
 */
function digitsOf(mark: number): string {
  const upper = Math.floor(mark / 36 ** 4);
  const lower = mark - upper * 36 ** 4;
  return PAIRS[Math.floor(upper / 36 ** 4)] +
    PAIRS[Math.floor(upper / 36 ** 2) % 36 ** 2] +
    PAIRS[upper % 36 ** 2] +
    PAIRS[Math.floor(lower / 36 ** 2)] +
    PAIRS[lower % 36 ** 2];
}

/**
 * Whether a text is a cursor of a newer version, which this version cannot
 * read.
 */
export function isOfNewerForm(text: string): boolean {
  const [, form] = /^(z[1-9]\d*)-/.exec(text) ?? [];
  return form !== undefined && form !== FORM;
}

/** Reads a cursor or a revision. Throws if the value is neither. */
export function readCursor(
  action: string,
  name: string,
  value: unknown,
): Cursor {
  if (typeof value === "number") return { revision: value, mark: undefined };
  if (typeof value !== "string") {
    throw new TypeError(
      `Cannot ${action}: "${name}" must be a cursor or a revision, received ${
        describe(value)
      }`,
    );
  }
  if (isOfNewerForm(value)) {
    throw new TypeError(
      `Cannot ${action}: the cursor ${
        quoteText(value)
      } has a newer format; use a newer version of @zestor/store`,
    );
  }
  const [, revision, mark] = /^z\d+-(\d{1,16})-([0-9a-z]+)$/.exec(value) ?? [];
  const cursor = { revision: Number(revision), mark: parseInt(mark, 36) };
  const isWhole = mark !== undefined && cursor.revision <= LAST_NUMBER &&
    cursor.mark < MARKS &&
    cursorOf(cursor.revision, cursor.mark) === value;
  if (isWhole) return cursor;
  throw new TypeError(
    `Cannot ${action}: ${
      quoteText(value)
    } is not a complete cursor; give the "cursor" of an event or a bookmark unchanged`,
  );
}
