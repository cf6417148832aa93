/**
 * Numbers, sizes and times for people.
 *
 * @module
 */

const NUMBER = new Intl.NumberFormat("en");
const TIME = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** Such as "1,204". */
export function formatNumber(number: number): string {
  return NUMBER.format(number);
}

/** A number of bytes, such as "1.2 MB". */
export function formatSize(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  const digits = unit > 0 && amount < 100 ? 1 : 0;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}

/** Such as "2026-11-26 12:03:11", in the browser's time zone. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return `${formatDay(time)} ${TIME.format(time)}`;
}

/** Without the day if it is today. */
export function formatShortTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const isToday = formatDay(time) === formatDay(new Date());
  return isToday ? TIME.format(time) : formatTime(iso);
}

function formatDay(time: Date): string {
  const part = (number: number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${part(time.getMonth() + 1)}-${
    part(time.getDate())
  }`;
}

/** The distance of a time, such as "in 3 min" or "5 s ago". */
export function formatDistance(iso: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const amount = formatSeconds(Math.abs(seconds));
  return seconds >= 0 ? `in ${amount}` : `${amount} ago`;
}

function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${formatNumber(Math.round(seconds / 86_400))} days`;
}

/** "1 entry", "2 entries". */
export function counted(count: number, one: string, many: string): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}
