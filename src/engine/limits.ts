/**
 * The size limits of an engine, and the errors for larger writes.
 *
 * @module
 */
import { StoreTooLargeError } from "../contract/errors.ts";
import { type Next, weightOf, type Write } from "./write.ts";

/** The size limits of an engine. `Infinity` means "no limit known". */
export interface Limits {
  /** The UTF-8 bytes of a kind and its key together. */
  readonly nameBytes: number;
  /** The bytes of a value. */
  readonly valueBytes: number;
  /**
   * The checks and changes of one write. A larger write fails, and the message
   * names the limit.
   */
  readonly changes: number;
  /**
   * The checks and changes of a write that may share a transaction. The queue
   * applies this limit.
   */
  readonly shared: number;
}

/**
 * Throws `StoreTooLargeError` if a write has too many checks and changes, or if
 * the name in a check is too long.
 */
export function assertWriteFits(write: Write, limits: Limits): void {
  const weight = weightOf(write);
  if (weight > limits.changes) {
    throw tooLarge(write, `${weight} checks and changes`, limits.changes);
  }
  for (const { kind, key } of write.checks) {
    assertNameFits(write, kind, key, limits);
  }
}

/**
 * Throws `StoreTooLargeError` if an entry's name or its new value is too large.
 */
export function assertChangeFits(
  write: Write,
  kind: string,
  key: string,
  next: Next,
  limits: Limits,
): void {
  assertNameFits(write, kind, key, limits);
  if (typeof next !== "object") return;
  const { byteLength } = next.value;
  if (byteLength <= limits.valueBytes) return;
  throw tooLarge(
    write,
    `a value of ${byteLength} bytes`,
    limits.valueBytes,
  );
}

function assertNameFits(
  write: Write,
  kind: string,
  key: string,
  { nameBytes }: Limits,
): void {
  // A code unit has at most three bytes, so most names need no count.
  if ((kind.length + key.length) * 3 <= nameBytes) return;
  const bytes = new TextEncoder().encode(kind + key).byteLength;
  if (bytes <= nameBytes) return;
  throw tooLarge(
    write,
    `a kind and a key of ${bytes} bytes together`,
    nameBytes,
  );
}

function tooLarge(
  { action }: Write,
  what: string,
  limit: number,
): StoreTooLargeError {
  return new StoreTooLargeError(
    `Cannot ${action}: it has ${what}, and this store takes at most ${limit}; make it smaller`,
  );
}
