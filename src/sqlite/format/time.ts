/**
 * The time of an entry's last change, as the file stores it.
 *
 * @module
 */
import type { SqlValue } from "../driver/driver.ts";

const HAS_NO_ZONE = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/;

/**
 * The time of a row; an invalid date if the row has none. SQLite's own times
 * are in UTC, but without a zone, so JavaScript would read them as local times.
 */
export function toDate(time: SqlValue): Date {
  const text = String(time);
  // The form that every store writes.
  if (text.endsWith("Z")) return new Date(text);
  return new Date(HAS_NO_ZONE.test(text) ? `${text.replace(" ", "T")}Z` : text);
}
