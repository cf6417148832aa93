/**
 * A server that answers every query with one row, in PostgreSQL's protocol
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html): to
 * be a version that no machine has any more.
 *
 * @module
 */

/** A fake. Disposing of it closes it. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts a fake whose answer is a row of texts by column. */
export function startFakeServer(row: Record<string, string>): FakeServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const open: Promise<void>[] = [];
    for await (const connection of listener) open.push(serve(connection, row));
    await Promise.all(open);
  })();
  return {
    url: `postgres://u@127.0.0.1:${listener.addr.port}/db`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

const READY = message("Z", bytesOf("I"));

async function serve(
  connection: Deno.Conn,
  row: Record<string, string>,
): Promise<void> {
  const answer = [
    ...message("T", [...int16(Object.keys(row).length), ...columns(row)]),
    ...message("D", [...int16(Object.keys(row).length), ...cells(row)]),
    ...message("C", [...bytesOf("SELECT 1"), 0]),
    ...READY,
  ];
  const reader = connection.readable.getReader();
  const writer = connection.writable.getWriter();
  let received: number[] = [];
  const take = async (length: number) => {
    while (received.length < length) {
      const { value, done } = await reader.read();
      if (done) return undefined;
      received.push(...value);
    }
    const taken = received.slice(0, length);
    received = received.slice(length);
    return taken;
  };
  const body = async () => await take(lengthOf(await take(4) ?? []) - 4);
  await body();
  await writer.write(
    Uint8Array.from([...message("R", int32(0)), ...READY]),
  );
  for (;;) {
    const [type] = await take(1) ?? [];
    if (type === undefined || type === bytesOf("X")[0]) break;
    await body();
    await writer.write(Uint8Array.from(answer));
  }
  await writer.close().catch(() => {});
}

/** Text columns. */
function columns(row: Record<string, string>): number[] {
  const TEXT = 25;
  return Object.keys(row).flatMap((name) => [
    ...[...bytesOf(name), 0],
    ...[...int32(0), ...int16(0), ...int32(TEXT)],
    ...[...int16(0), ...int32(0), ...int16(0)],
  ]);
}

function cells(row: Record<string, string>): number[] {
  return Object.values(row).flatMap((text) => [
    ...int32(bytesOf(text).length),
    ...bytesOf(text),
  ]);
}

function message(type: string, body: number[]): number[] {
  return [...bytesOf(type), ...int32(body.length + 4), ...body];
}

function bytesOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function int32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

function int16(value: number): number[] {
  return [value >>> 8 & 255, value & 255];
}

function lengthOf([a = 0, b = 0, c = 0, d = 4]: number[]): number {
  return (a << 24 | b << 16 | c << 8 | d) >>> 0;
}
