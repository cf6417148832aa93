/**
 * Functions that compare bytes, count them, and convert them to text.
 *
 * @module
 */

/** Whether two byte arrays are equal. */
export function equalBytes(
  a: Uint8Array,
  b: Uint8Array | undefined,
): boolean {
  return b !== undefined && a.length === b.length && compareBytes(a, b) === 0;
}

/** The length of a text in UTF-8 bytes. It does not copy a long text. */
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

/**
 * Compares byte by byte, as SQLite orders blobs. Negative if `a` comes first.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", {
  ignoreBOM: true,
  fatal: true,
});

/**
 * Decodes UTF-8, and keeps a byte order mark. Returns `undefined` if the bytes
 * are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  // The strict decoder takes four times as long, so it runs only if the fast
  // result is in doubt.
  if (!text.includes("\ufffd")) return text;
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}
