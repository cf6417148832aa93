/**
 * Lines of JSON, as the gateway sends the answers of a stream.
 *
 * @module
 */
const NEWLINE = 10;

/** The lines of a body, each parsed. Whoever leaves the loop cancels the body. */
export async function* jsonLines(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<unknown, void> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  for await (const chunk of body) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      parts.push(chunk.subarray(start, end));
      const text = parts.map((part) => decoder.decode(part, { stream: true }))
        .join("") + decoder.decode();
      parts = [];
      start = end + 1;
      if (text.trim() !== "") yield JSON.parse(text);
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
}
