/**
 * Converts the time of an entry to text for a line, and back.
 *
 * The invariant: a time is read as exactly the time in the text, and SQLite and
 * other programs can read the stored form.
 *
 * @module
 */
import { describe } from "../../base/messages.ts";

/**
 * A date and a time of RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339), with
 * milliseconds.
 */
const TIME =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,3})0*)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** A text of another length has a year with more than four digits. */
const LENGTH = "2026-01-31T12:00:00.000Z".length;

/**
 * The text of a time; `undefined` if a line cannot express it. Damage or plain
 * SQL may cause such a time.
 */
export function formatTime(time: Date): string | undefined {
  if (Number.isNaN(time.getTime())) return undefined;
  const text = time.toISOString();
  return text.length === LENGTH ? text : undefined;
}

/** The time in a line, if it has one. Throws if the text is not a time. */
export function parseTime(name: string, text: unknown): Date | undefined {
  if (text === undefined) return undefined;
  const time = typeof text === "string" ? timeOf(text) : undefined;
  if (time && formatTime(time) !== undefined) return time;
  throw new RangeError(
    `"${name}" must be a time such as "2026-01-31T12:00:00.000Z", received ${
      describe(text)
    }`,
  );
}

function timeOf(text: string): Date | undefined {
  const [, seconds, fraction = "", sign, hours, minutes] = TIME.exec(text) ??
    [];
  if (seconds === undefined) return undefined;
  const local = `${seconds}.${fraction.padEnd(3, "0")}Z`;
  const time = new Date(local);
  // For a day or an hour that does not exist, `Date` gives the next one.
  if (formatTime(time) !== local) return undefined;
  if (sign === undefined) return time;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(time.getTime() - (sign === "+" ? offset : -offset));
}
