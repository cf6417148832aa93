/**
 * What an engine has room for, and the errors of what is larger.
 *
 * @module
 */
import { StoreTooLargeError } from "../contract/errors.ts";
import { type Next, weightOf, type Write } from "./write.ts";

/** What an engine has room for. `Infinity` means "no limit known". */
export interface Limits {
  /** UTF-8 bytes of a kind and its key together. */
  readonly nameBytes: number;
  /** Bytes of a value. */
  readonly valueBytes: number;
  /** Checks and changes of one write. A larger one fails, and the message names the limit. */
  readonly changes: number;
  /** Checks and changes up to which a write may share a transaction. The queue keeps it. */
  readonly shared: number;
}

/** Throws `StoreTooLargeError` if a write has too many checks and changes, or a check too long a name. */
export function assertWriteFits(write: Write, limits: Limits): void {
  const weight = weightOf(write);
  if (weight > limits.changes) {
    throw tooLarge(write, `${weight} checks and changes`, limits.changes);
  }
  for (const { kind, key } of write.checks) {
    assertNameFits(write, kind, key, limits);
  }
}

/** Throws `StoreTooLargeError` if the name of an entry, or what comes next for it, is too large. */
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
  // A code unit has three bytes at most: most names need no count.
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
