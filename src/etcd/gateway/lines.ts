/**
 * Lines of JSON, as the gateway sends the answers of a stream.
 *
 * @module
 */
const NEWLINE = 10;

/**
 * The lines of a body, each parsed, until the signal aborts. Whoever leaves the
 * loop cancels the body.
 *
 * The signal of a request is no help once its answer has begun: the runtime may
 * have collected as garbage what listens to it.
 */
export async function* jsonLines(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<unknown, void> {
  const reader = body.getReader();
  // It ends the read that waits, too.
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
