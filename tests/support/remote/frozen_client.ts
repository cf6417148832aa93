/**
 * A client whose time a test moves.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { FrozenTime } from "../manual_time.ts";
import {
  type ClientOptions,
  openClient,
  type TestClient,
} from "./open_clients.ts";

/** Makes a test with stopped time, and a client of which nothing is left in the end. */
export function withTime(
  options: ClientOptions,
  test: (client: TestClient, time: FrozenTime) => Promise<void>,
): () => Promise<void> {
  return async () => {
    using time = new FrozenTime();
    const opening = openClient({ longest: 0, ...options });
    const client = await ending(time, opening);
    await test(client, time);
    await ending(time, client.engine.close());
    assertEquals(time.timers, []);
    assertEquals(client.line.pending, 0);
    assertEquals(client.engine.log.waiting, 0);
  };
}

/** Lets time pass until a promise has settled. */
export async function ending<T>(
  time: FrozenTime,
  promise: Promise<T>,
): Promise<T> {
  let isSettled = false;
  const settle = () => isSettled = true;
  promise.then(settle, settle);
  await time.until(() => isSettled, () => time.timers);
  return await promise;
}

/** How long it takes until a promise has settled, in ms. */
export async function timeOf(
  time: FrozenTime,
  promise: Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  await ending(time, promise.catch(() => {}));
  return performance.now() - start;
}
