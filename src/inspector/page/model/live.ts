/// <reference lib="dom" />
/**
 * The live changes: one stream from the server for the whole page, and the
 * state of the connection.
 *
 * Changes are passed on in batches, at most ten a second, so that the page has
 * time to draw.
 *
 * @module
 */
import type {
  ChangesEvent,
  LiveChange,
  StartEvent,
  StreamEvents,
} from "../../api.ts";
import { Cell } from "./cell.ts";
import { pathOf, read, RequestError } from "./client.ts";

/** The state of the connection. */
export interface Connection {
  readonly state: "connecting" | "live" | "lost" | "down" | "ended" | "refused";
  /** A message for the user, if there is one. */
  readonly message?: string;
}

/** The least pause between two batches, in ms. */
const PAUSE = 100;

/** The pause before the page connects again if the browser gave up, in ms. */
const RETRY = 1_000;

/** How the connection is now. */
export const connection: Cell<Connection> = new Cell<Connection>({
  state: "connecting",
});

/** Grows whenever the connection is back: then everything that is shown must be read again. */
export const epoch: Cell<number> = new Cell(0);

/** Grows whenever the stream begins again: changes may be missing. */
export const gaps: Cell<number> = new Cell(0);

/** The newest revision that the page knows of. */
export const newest: Cell<number> = new Cell(0);

type Listener = (changes: readonly LiveChange[]) => void;
const listeners = new Set<Listener>();

/** Calls the listener with every change from now on, until the returned function is called. */
export function onChanges(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let pending: LiveChange[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let lastFlush = 0;

function take(changes: readonly LiveChange[]): void {
  pending.push(...changes);
  if (timer !== undefined) return;
  const rest = PAUSE - (performance.now() - lastFlush);
  timer = setTimeout(flush, Math.max(0, rest));
}

function flush(): void {
  if (timer !== undefined) clearTimeout(timer);
  timer = undefined;
  lastFlush = performance.now();
  const changes = pending;
  pending = [];
  if (changes.length === 0) return;
  newest.value = Math.max(newest.value, changes.at(-1)!.revision);
  for (const listener of [...listeners]) listener(changes);
}

let source: EventSource | undefined;
let lastId: string | undefined;
let hasStarted = false;

/** Opens the stream, once, or again after its end. */
export function connect(): void {
  source?.close();
  source = new EventSource(pathOf("api/events", { after: lastId }));
  on("start", start);
  on("changes", ({ changes }: ChangesEvent) => take(changes));
  on("down", ({ message }) => connection.value = { state: "down", message });
  on("up", () => {
    connection.value = { state: "live" };
    epoch.value++;
  });
  on("end", ({ message }) => {
    source?.close();
    flush();
    connection.value = { state: "ended", message };
  });
  source.onerror = lose;
}

function on<Name extends keyof StreamEvents>(
  name: Name,
  listener: (data: StreamEvents[Name]) => void,
): void {
  source!.addEventListener(name, (event) => {
    lastId = event.lastEventId || lastId;
    listener(JSON.parse(event.data));
  });
}

function start({ revision, isResumed, message }: StartEvent): void {
  if (!hasStarted) {
    hasStarted = true;
    newest.value = Math.max(newest.value, revision);
    connection.value = { state: "live" };
    return;
  }
  flush();
  newest.value = isResumed ? Math.max(newest.value, revision) : revision;
  connection.value = {
    state: "live",
    message: isResumed
      ? "Connected again. No change was missed."
      : message ?? "Connected again. Changes in between may be missing.",
  };
  if (!isResumed) gaps.value++;
  epoch.value++;
}

/** The connection is lost. The browser connects again by itself, unless it has given up. */
function lose(): void {
  const { state } = connection.value;
  if (state === "ended" || state === "refused") return;
  if (hasStarted) connection.value = { state: "lost" };
  if (source?.readyState === EventSource.CLOSED) retry();
}

async function retry(): Promise<void> {
  const mine = source;
  try {
    await read("api/session");
  } catch (error) {
    if (
      error instanceof RequestError && [401, 403, 421].includes(error.status)
    ) {
      connection.value = { state: "refused", message: error.message };
      return;
    }
  }
  await new Promise((resolve) => setTimeout(resolve, RETRY));
  if (source === mine) connect();
}

/** Changes that are collected during a read. */
export interface Held {
  readonly changes: LiveChange[];
  /** Ends the collecting. */
  release(): void;
}

/** Collects the changes from now on, of a kind or of all. */
export function hold(kind?: string): Held {
  const held: LiveChange[] = [];
  const release = onChanges((changes) => {
    for (const change of changes) {
      if (kind === undefined || change.kind === kind) held.push(change);
    }
  });
  return { changes: held, release };
}
