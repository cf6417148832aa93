/**
 * Tests of imports that end before their stream: because of a refused line, a
 * signal, an error, or the store's closing, whatever the stream does then.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import type { RefusedLine } from "../../contract/transfer.ts";
import { ImportError, StoreClosedError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import { entryLine, streamOf } from "../lines.ts";
import { assertRejectsWith, numberedKeys } from "../reading.ts";
import { standardSchema } from "../schemas.ts";
import { linesInOneTransaction } from "../sizes.ts";

/** A source that gives some lines, then nothing, and the requests to it. */
interface StalledSource {
  readonly stream: ReadableStream<string>;
  /** Resolves when it is asked for more than it has. */
  readonly stalled: Promise<void>;
  /** Resolves with the reason when it is cancelled. */
  readonly cancelled: Promise<unknown>;
}

/** `answer` is the source's reaction when it is cancelled. */
function stalledSource(
  lines: readonly string[],
  answer: () => Promise<void> = () => Promise.resolve(),
): StalledSource {
  const stalled = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<unknown>();
  const rest = [...lines];
  const stream = new ReadableStream<string>({
    pull(controller) {
      const line = rest.shift();
      if (line !== undefined) return controller.enqueue(line);
      stalled.resolve();
      return new Promise(() => {});
    },
    cancel(reason) {
      cancelled.resolve(reason);
      return answer();
    },
  }, { highWaterMark: 0 });
  return { stream, stalled: stalled.promise, cancelled: cancelled.promise };
}

/** The reactions of a source when it is cancelled. */
const ANSWERS: Record<string, () => Promise<void>> = {
  "answers": () => Promise.resolve(),
  "never answers": () => new Promise(() => {}),
  "fails": () => Promise.reject(new Error("not now")),
  "throws": () => {
    throw new Error("not ever");
  },
};

export const importStopping: Cases = {
  "import rejects at a refused line without onRefused": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const size = linesInOneTransaction(supports);
    const keys = numberedKeys(2 * size);
    const bad = size + Math.floor(size / 2);
    const lines = keys.map((key) => entryLine(key, 1));
    lines[bad] = "{\n";
    let cancelled = false;
    const stream = new ReadableStream<string>({
      start(controller) {
        for (const line of lines) controller.enqueue(line);
      },
      cancel() {
        cancelled = true;
      },
    });
    const error = await assertRejects(
      () => store.import(stream),
      ImportError,
      `Cannot import line ${bad + 1}: `,
    );
    assertEquals([error.code, error.line], ["IMPORT", bad + 1]);
    assertInstanceOf(error.cause, SyntaxError);
    // The transaction before is there; its own is not.
    assertEquals(await store.keys("a"), keys.slice(0, size));
    assert(cancelled);
  },

  "C7 an aborted import stops, also while it waits": async (open) => {
    await using store = await open();
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    await assertRejectsWith(
      () => store.import(streamOf(entryLine("x", 1)), { signal: aborted }),
      reason,
      "aborted before",
    );
    const controller = new AbortController();
    const cancelled = Promise.withResolvers<unknown>();
    const endless = new ReadableStream<string>({
      start: (stream) => stream.enqueue(entryLine("x", 1)),
      cancel: (reason) => cancelled.resolve(reason),
    });
    const { signal } = controller;
    const result = store.import(endless, { signal });
    controller.abort(reason);
    await assertRejectsWith(() => result, reason, "aborted while it waits");
    assertEquals(await cancelled.promise, reason);
    assertEquals(await store.count("a"), 0);
  },

  "import rejects with the stream's error": async (open, supports) => {
    await using store = await open();
    const reason = new Error("cut");
    const size = linesInOneTransaction(supports);
    const lines = numberedKeys(size + 20).map((key) => entryLine(key, 1));
    const stream = ReadableStream.from(async function* () {
      yield* lines;
      await Promise.reject(reason);
    }());
    await assertRejectsWith(() => store.import(stream), reason, "cut");
    assertEquals(await store.count("a"), size);
  },

  "C7 an import that is aborted before it begins cancels its stream": async (
    open,
  ) => {
    await using store = await open();
    const { stream, cancelled } = stalledSource([entryLine("x", 1)]);
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await assertRejectsWith(
      () => store.import(stream, { signal }),
      reason,
      "aborted before",
    );
    assertEquals(await cancelled, reason);
    assertEquals(await store.count("a"), 0);
  },

  "C7 an import that is aborted waits for nothing that its stream does": async (
    open,
  ) => {
    await using store = await open();
    for (const [name, answer] of Object.entries(ANSWERS)) {
      const source = stalledSource([entryLine(name, 1)], answer);
      const controller = new AbortController();
      const { signal } = controller;
      const result = store.import(source.stream, { signal });
      await source.stalled;
      const reason = new Error("enough");
      controller.abort(reason);
      await assertRejectsWith(() => result, reason, name);
      assertEquals(await source.cancelled, reason);
    }
    assertEquals(await store.count("a"), 0);
  },

  "an import that refuses a line waits for nothing that its stream does":
    async (
      open,
    ) => {
      await using store = await open();
      for (const answer of Object.values(ANSWERS)) {
        const source = stalledSource(["{\n"], answer);
        const error = await assertRejects(
          () => store.import(source.stream),
          ImportError,
        );
        assertEquals(await source.cancelled, error);
      }
    },

  "close: an import that waits for its stream rejects, and cancels it": async (
    open,
  ) => {
    for (const answer of Object.values(ANSWERS)) {
      const store = await open();
      const source = stalledSource([entryLine("x", 1)], answer);
      const result = assertRejects(
        () => store.import(source.stream),
        StoreClosedError,
      );
      await source.stalled;
      await store.close();
      await result;
      assertInstanceOf(await source.cancelled, StoreClosedError);
    }
  },

  "close: an import that waits for a schema rejects, and cancels its stream":
    async (
      open,
    ) => {
      const asked = Promise.withResolvers<void>();
      const schema = standardSchema(() => {
        asked.resolve();
        return new Promise(() => {});
      });
      const store = await open({ schemas: { a: schema } });
      const source = stalledSource([entryLine("x", 1)]);
      const result = assertRejects(
        () => store.import(source.stream),
        StoreClosedError,
      );
      await asked.promise;
      await store.close();
      await result;
      assertInstanceOf(await source.cancelled, StoreClosedError);
    },

  "close: by the stream of an import itself": async (open) => {
    const store = await open();
    const closed = Promise.withResolvers<void>();
    const stream = new ReadableStream<string>({
      async pull(controller) {
        controller.enqueue(entryLine("x", 1));
        await store.close();
        closed.resolve();
      },
      async cancel() {
        await store.close();
      },
    });
    await assertRejects(() => store.import(stream), StoreClosedError);
    await closed.promise;
  },

  "close: finishes the transaction of an import that waits, and tells of it":
    async (open, supports) => {
      const size = linesInOneTransaction(supports);
      const closed = Promise.withResolvers<void>();
      const schema = (value: unknown) => {
        // Its transaction is called in the same turn.
        if (value !== size - 1) return;
        queueMicrotask(() => closed.resolve(store.close()));
      };
      const store = await open({ schemas: { a: schema } });
      const lines = numberedKeys(2 * size).map((key, i) => entryLine(key, i));
      lines[1] = "{\n";
      const source = stalledSource([lines.join("")]);
      const progress: number[] = [];
      const refused: RefusedLine[] = [];
      await assertRejects(
        () =>
          store.import(source.stream, {
            onProgress: ({ lines, created }) => progress.push(lines, created),
            onRefused: (line) => refused.push(line),
          }),
        StoreClosedError,
      );
      await closed.promise;
      assertEquals(progress, [size, size - 1]);
      assertEquals(refused.map(({ line }) => line), [2]);
      assertInstanceOf(await source.cancelled, StoreClosedError);
    },

  "close: by what an import tells": async (open, supports) => {
    const store = await open();
    const size = linesInOneTransaction(supports);
    const lines = numberedKeys(2 * size).map((key) => entryLine(key, 1));
    const closed = Promise.withResolvers<void>();
    const progress: number[] = [];
    await assertRejects(
      () =>
        store.import(streamOf(lines.join("")), {
          onProgress({ created }) {
            progress.push(created);
            closed.resolve(store.close());
          },
        }),
      StoreClosedError,
    );
    await closed.promise;
    assertEquals(progress, [size]);
  },

  "close: an import on a closed store cancels its stream": async (open) => {
    const store = await open();
    await store.close();
    const source = stalledSource([]);
    await assertRejects(() => store.import(source.stream), StoreClosedError);
    assertInstanceOf(await source.cancelled, StoreClosedError);
    await assertRejects(() => store.import(streamOf()), StoreClosedError);
  },

  "an import leaves its stream and its signal as they are when it is done":
    async (
      open,
    ) => {
      await using store = await open();
      const { signal } = new AbortController();
      const stream = streamOf(entryLine("x", 1));
      await store.import(stream, { signal });
      assertEquals(stream.locked, false);
      assertEquals((await stream.getReader().read()).done, true);
    },
};
