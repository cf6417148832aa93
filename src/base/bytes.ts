/**
 * Bytes: compared, counted, and as text.
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

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", {
  ignoreBOM: true,
  fatal: true,
});

/** The text whose UTF-8 the bytes are, with its byte order mark if it has one; `undefined` if they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  // The strict decoder takes four times as long, and is asked where it matters.
  if (!text.includes("\ufffd")) return text;
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}
