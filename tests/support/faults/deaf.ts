/**
 * File notifications that never come, as on a network's file system.
 *
 * @module
 */

/** Makes every notifier that is opened from now on deaf; disposing of it heals. */
export function deafen(): Disposable {
  const { watchFs } = Deno;
  Deno.watchFs = deafWatchFs;
  return {
    [Symbol.dispose]() {
      Deno.watchFs = watchFs;
    },
  };
}

function deafWatchFs(): Deno.FsWatcher {
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  // deno-lint-ignore require-yield -- it is deaf
  async function* events(): AsyncGenerator<Deno.FsEvent, void> {
    await closed;
  }
  return {
    close,
    [Symbol.asyncIterator]: events,
    [Symbol.dispose]: close,
  };
}
