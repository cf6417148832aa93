/**
 * The trace of a history: one file, to which every process appends a line before
 * each call, and a line when it has the answer.
 *
 * The order of the lines is the history's time, and no clock is needed. A line
 * is appended by one system call, and the operating system does such calls on
 * one file one after the other. So if one call of a store ended before another
 * began, in whichever processes, their lines are in this order. The interval
 * between a call's two lines contains the time in which the store did it: it may
 * be longer, so a sound store is never found to be unsound.
 *
 * A process that is killed leaves what it appended. A line that it only began
 * is left out: if it told of a call, that call was never made; if it told of an
 * answer, the call counts as one without an answer.
 *
 * @module
 */
import type { Answer, Call, Operation } from "./calls.ts";

type Line =
  | [id: string, event: "call", call: Call]
  | [id: string, event: "answer", answer: Answer];

/** Appends to a trace. */
export class TraceWriter implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();

  /** Opens the file; creates it if it is missing. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { append: true, create: true });
  }

  /** Notes that a call is about to be made. */
  call(id: string, call: Call): void {
    this.#append([id, "call", call]);
  }

  /** Notes that a call has been answered. */
  answer(id: string, answer: Answer): void {
    this.#append([id, "answer", answer]);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #append(line: Line): void {
    // The first line end closes the line that a killed process may have begun.
    const bytes = this.#encoder.encode(`\n${JSON.stringify(line)}\n`);
    if (this.#file.writeSync(bytes) === bytes.length) return;
    throw new Error("Cannot append to the trace: the disk may be full");
  }
}

/** Reads a trace that nobody appends to. */
export async function readTrace(path: string): Promise<Operation[]> {
  return parseTrace(await Deno.readTextFile(path));
}

/** The operations of a trace, in the order in which they were called. */
export function parseTrace(text: string): Operation[] {
  const operations = new Map<string, Operation>();
  let place = 0;
  for (const one of text.split("\n")) {
    const line = parseLine(one);
    if (!line) continue;
    const [id, event, what] = line;
    place++;
    if (event === "call") {
      const operation = { id, call: what, from: place, to: Infinity };
      operations.set(id, operation);
    } else {
      const operation = operations.get(id)!;
      operations.set(id, { ...operation, answer: what, to: place });
    }
  }
  return [...operations.values()];
}

function parseLine(line: string): Line | undefined {
  if (line === "") return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
