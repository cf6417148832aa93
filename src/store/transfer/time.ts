/**
 * The time of an entry as a line tells it, and back.
 *
 * The invariant: a time is read as exactly the time that the text tells, and
 * SQLite and other programs can read what the store then keeps.
 *
 * @module
 */
import { describe } from "../../base/messages.ts";

/** A date and a time of RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339), to the millisecond. */
const TIME =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,3})0*)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** A text of another length has a year of more than four digits. */
const LENGTH = "2026-01-31T12:00:00.000Z".length;

/** The text of a time; `undefined` if a line cannot tell it. Damage, or plain SQL, may have made it so. */
export function formatTime(time: Date): string | undefined {
  if (Number.isNaN(time.getTime())) return undefined;
  const text = time.toISOString();
  return text.length === LENGTH ? text : undefined;
}

/** The time that a line tells, if any; throws where the text is no time. */
export function parseTime(name: string, text: unknown): Date | undefined {
  if (text === undefined) return undefined;
  const time = typeof text === "string" ? timeOf(text) : undefined;
  if (time && formatTime(time) !== undefined) return time;
  throw new RangeError(
    `"${name}" is a time such as "2026-01-31T12:00:00.000Z", received ${
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
  // For a day or an hour that does not exist, `Date` takes the next one.
  if (formatTime(time) !== local) return undefined;
  if (sign === undefined) return time;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(time.getTime() - (sign === "+" ? offset : -offset));
}
