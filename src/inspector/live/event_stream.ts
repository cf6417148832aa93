/**
 * The live changes for one browser, as Server-Sent Events.
 *
 * The invariants:
 * - After a `start`, no change after its revision is missing or comes twice.
 * - If a browser does not read, nothing is read for it. At most one batch
 *   waits.
 * - When the browser has gone, the watch ends.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { sleep } from "../../base/slice.ts";
import { WatchOverflowError } from "../../contract/errors.ts";
import type { WatchEvent } from "../../contract/watch.ts";
import { cursorOf, readCursor } from "../../engine/cursor.ts";
import type { Inspection } from "../../store/inspection.ts";
import type { LiveChange, StartEvent, StreamEvents } from "../api.ts";
import { badRequest } from "../failures.ts";
import { previewOf } from "../shown_values.ts";
import { type Batch, Batches } from "./batches.ts";
import type { Problem, Reachability } from "./reachability.ts";

/** How often an idle connection gets a sign of life, in ms. */
const KEEP_ALIVE_MS = 15_000;

/** The pause before a failed watch is opened again, in ms. */
const RETRY_MS = 1_000;

/** The source of a stream of events. */
export interface EventSource {
  readonly inspection: Inspection;
  readonly reachability: Reachability;
  /** The id of the last event that the browser has seen. */
  readonly after: string | undefined;
  /** Ends the stream, for example when the server ends. */
  readonly signal: AbortSignal;
}

const encoder = new TextEncoder();

/** The body of the response. Throws a `RequestError` if `after` is not a cursor. */
export function openEventStream(
  source: EventSource,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  if (source.after !== undefined) assertCursor(source.after);
  const events = new BrowserEvents(source);
  return new ReadableStream({
    async pull(controller) {
      const text = await events.next();
      if (text === undefined) controller.close();
      else controller.enqueue(encoder.encode(text));
    },
    cancel: () => events.close(),
  }, { highWaterMark: 0 });
}

function assertCursor(after: string): void {
  try {
    readCursor("follow the changes", "after", after);
  } catch (error) {
    throw badRequest(reasonOf(error), "after");
  }
}

/** One event as text. */
function eventText<Name extends keyof StreamEvents>(
  event: Name,
  data: StreamEvents[Name],
  id?: string,
): string {
  const idLine = id === undefined ? "" : `id: ${id}\n`;
  // JSON contains no line breaks, so this is one line.
  return `${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The events for one browser, in order. */
class BrowserEvents {
  readonly #inspection: Inspection;
  readonly #stop = new AbortController();
  readonly #listening: Disposable;
  readonly #steps: AsyncGenerator<string, void>;
  readonly #ended: () => void;
  readonly #signal: AbortSignal;
  /** Texts that were read, but not sent. */
  #ready: string[] = [];
  /** Whether a read is outstanding. */
  #isReading = false;
  #isOver = false;
  /** Whether the browser has been told that the store cannot be reached, and whether this is so now. */
  #toldDown = false;
  #problem: Problem;
  #wake: (() => void) | undefined;

  constructor({ inspection, reachability, after, signal }: EventSource) {
    this.#inspection = inspection;
    this.#signal = signal;
    this.#steps = this.#run(after);
    this.#listening = reachability.listen((problem) => {
      this.#problem = problem;
      this.#wake?.();
    });
    this.#ended = () => this.#end("The server ends");
    signal.addEventListener("abort", this.#ended);
    if (signal.aborted) this.#ended();
  }

  /** The next text; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const status = this.#nextStatus();
      if (status !== undefined) return status;
      const text = this.#ready.shift();
      if (text !== undefined) return text;
      if (this.#isOver) {
        this.close();
        return undefined;
      }
      if (!this.#isReading) this.#read();
      if (!await this.#news()) return ": \n\n";
    }
  }

  /** Waits for the next text. Returns false if none came for a while. */
  async #news(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake = () => resolve(true);
    const timer = setTimeout(() => resolve(false), KEEP_ALIVE_MS);
    const isNews = await promise;
    clearTimeout(timer);
    this.#wake = undefined;
    return isNews;
  }

  #nextStatus(): string | undefined {
    const isDown = this.#problem !== undefined;
    if (isDown === this.#toldDown || this.#isOver) return undefined;
    this.#toldDown = isDown;
    return isDown
      ? eventText("down", { message: this.#problem! })
      : eventText("up", {});
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      const { done, value } = await this.#steps.next();
      if (done) this.#isOver = true;
      else this.#ready.push(value);
    } catch (error) {
      // For example, the store was closed before the watch was open.
      this.#end(reasonOf(error));
    } finally {
      this.#isReading = false;
      this.#wake?.();
    }
  }

  #end(message: string): void {
    if (this.#isOver) return;
    this.#ready = [eventText("end", { message })];
    this.#isOver = true;
    this.#stop.abort();
    this.#wake?.();
  }

  /** Frees the watch. */
  close(): void {
    this.#isOver = true;
    this.#ready = [];
    this.#stop.abort();
    this.#listening[Symbol.dispose]();
    this.#signal.removeEventListener("abort", this.#ended);
    this.#wake?.();
  }

  async *#run(asked: string | undefined): AsyncGenerator<string, void> {
    yield "retry: 1000\n\n";
    const stop = this.#stop.signal;
    let after = asked;
    let message: string | undefined;
    let isTold = false;
    while (!stop.aborted) {
      let batches: Batches | undefined;
      try {
        const from = after ?? await this.#newest();
        batches = new Batches(this.#inspection.watch(from, stop));
        let batch = await batches.next();
        this.#recovered();
        if (!isTold) {
          const isResumed = after !== undefined;
          yield startText(from, { isResumed, message });
          isTold = true;
        }
        for (; batch.length > 0; batch = await batches.next()) {
          yield this.#changesText(batch);
          after = batch.at(-1)!.cursor;
        }
        if (stop.aborted) return;
        yield eventText("end", { message: "The store is closed" });
        return;
      } catch (error) {
        if (stop.aborted) return;
        if (error instanceof WatchOverflowError) {
          after = undefined;
          message = error.message;
          isTold = false;
          continue;
        }
        if (isClosed(error)) throw error;
        this.#failed(reasonOf(error));
        await sleep(RETRY_MS, stop, false);
      } finally {
        await batches?.cancel();
      }
    }
  }

  /** The cursor of the newest change. */
  async #newest(): Promise<string> {
    const { engine, read } = this.#inspection;
    return await read("watch", async () => {
      const revision = await engine.log.head();
      return cursorOf(revision, await engine.log.markOf(revision) ?? 0);
    });
  }

  #failed(message: string): void {
    this.#problem = message;
    this.#wake?.();
  }

  #recovered(): void {
    this.#problem = undefined;
  }

  #changesText(batch: Batch): string {
    const seenAt = new Date().toISOString();
    const id = batch.at(-1)!.cursor;
    const changes = batch
      .filter((event) => event.type !== "bookmark")
      .map((event) => this.#liveChange(event, seenAt));
    // Without data it is not an event, but it sets the id.
    return changes.length === 0
      ? `id: ${id}\n\n`
      : eventText("changes", { changes }, id);
  }

  #liveChange(event: WatchEvent<Uint8Array>, seenAt: string): LiveChange {
    const { revision, kind, key, type, version, value } = event;
    const { values } = this.#inspection;
    return {
      revision,
      kind,
      key,
      type,
      version,
      size: value.length,
      ...(event.type === "delete" && event.expired ? { expired: true } : {}),
      ...(event.type !== "delete" && event.expiresAt
        ? { expiresAt: event.expiresAt.toISOString() }
        : {}),
      preview: previewOf(values, { kind, key, value }),
      seenAt,
    };
  }
}

function isClosed(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "CLOSED";
}

function startText(
  cursor: string,
  { isResumed, message }: Pick<StartEvent, "isResumed" | "message">,
): string {
  const { revision } = readCursor("follow the changes", "after", cursor);
  const data = { revision, isResumed, ...(message ? { message } : {}) };
  return eventText("start", data, cursor);
}
