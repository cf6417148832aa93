/**
 * When an entry was last changed, as the file has it.
 *
 * @module
 */
import type { SqlValue } from "../driver/driver.ts";

const HAS_NO_ZONE = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/;

/**
 * The time that a row tells; an invalid date where it tells none. SQLite's own
 * times name no zone, and are in UTC: JavaScript would take them for local.
 */
export function toDate(time: SqlValue): Date {
  const text = String(time);
  // As every store writes it.
  if (text.endsWith("Z")) return new Date(text);
  return new Date(HAS_NO_ZONE.test(text) ? `${text.replace(" ", "T")}Z` : text);
}
