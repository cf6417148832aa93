/**
 * Bytes, compared.
 *
 * @module
 */

/** Whether two runs of bytes are the same. */
export function equalBytes(
  a: Uint8Array,
  b: Uint8Array | undefined,
): boolean {
  return b !== undefined && a.length === b.length && compareBytes(a, b) === 0;
}

/** Byte by byte, as SQLite orders blobs: below 0 where `a` comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
