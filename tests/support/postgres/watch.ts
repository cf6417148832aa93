/**
 * A watch that runs, as a list of what it saw.
 *
 * @module
 */
import type { Kinds, TestStore } from "./faults.ts";

/** A running watch of the kind `k`. Disposing of it ends it. */
export interface RunningWatch extends AsyncDisposable {
  /** The next changes, a line for each: `create a=1 v1`. */
  next(count: number): Promise<string[]>;
}

/** Starts a watch of the kind `k`. It sees all that follows. */
export async function runWatch(store: TestStore): Promise<RunningWatch> {
  const bookmarks = store.watch("k", { initial: true, bookmarks: true });
  const reader = bookmarks.getReader();
  // The replay ends with a bookmark.
  for (;;) {
    const { value } = await reader.read();
    if (value?.type === "bookmark") break;
  }
  return {
    async next(count) {
      const lines: string[] = [];
      while (lines.length < count) {
        const { value: event, done } = await reader.read();
        if (done) break;
        if (event.type === "bookmark") continue;
        const value: Kinds["k"] = event.value;
        const end = event.type === "delete" && event.expired ? " expired" : "";
        lines.push(
          `${event.type} ${event.key}=${value}${end} v${event.version}`,
        );
      }
      return lines;
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel();
    },
  };
}
