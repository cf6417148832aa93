/**
 * Ports of the loopback interface, on which nobody listens.
 *
 * @module
 */

/** Starts something on a free port; on another one if somebody takes it meanwhile. */
export async function onFreePort<T>(
  start: (port: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await start(freePort());
    } catch (error) {
      const isTaken = /Address already in use/i.test((error as Error).message);
      if (!isTaken || attempt === 5) throw error;
    }
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}
