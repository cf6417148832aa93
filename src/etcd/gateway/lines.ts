/**
 * Reads the answers of a stream, which the gateway sends as lines of JSON.
 *
 * @module
 */
const NEWLINE = 10;

/**
 * The parsed lines of a body, until the signal aborts. Leaving the loop cancels
 * the body.
 *
 * The signal of the request cannot abort the body reliably: after the answer has
 * begun, the runtime may garbage-collect its listener.
 */
export async function* jsonLines(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<unknown, void> {
  const reader = body.getReader();
  // This also ends a pending read.
  const cancel = () => reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  try {
    yield* linesOf(reader);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", cancel);
    await cancel();
  }
}

async function* linesOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<unknown, void> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for (;;) {
    const { value: chunk, done } = await reader.read();
    if (done) return;
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      parts.push(decoder.decode(chunk.subarray(start, end)));
      const text = parts.join("");
      parts = [];
      start = end + 1;
      if (text.trim() !== "") yield JSON.parse(text);
    }
    if (start < chunk.length) {
      parts.push(decoder.decode(chunk.subarray(start), { stream: true }));
    }
  }
}
