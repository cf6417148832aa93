/**
 * Bytes, compared and counted.
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

/** How many bytes a text has in UTF-8. It makes no copy of a long text. */
export function utf8Length(text: string): number {
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(64 * 1024);
  let length = 0;
  for (let rest = text; rest !== "";) {
    const { read, written } = encoder.encodeInto(rest, bytes);
    length += written;
    rest = rest.slice(read);
  }
  return length;
}

/** Byte by byte, as SQLite orders blobs: below 0 where `a` comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
