/**
 * Writes the entries of a stream of lines, in transactions of bounded size.
 *
 * The invariant: what a transaction is to write it writes whole, and what there
 * is to tell of it (counts, refused lines) is told when it has committed.
 *
 * @module
 */
import type {
  ImportOptions,
  ImportResult,
  RefusedLine,
  SetStatus,
} from "../contract.ts";
import { ImportError, quoteText, reasonOf } from "../errors.ts";
import { isPromise, type MaybePromise } from "../promises.ts";
import { Slice } from "../slice.ts";
import type { Origin } from "../storage/storage.ts";
import type { BulkWrite } from "../storage/write_queue.ts";
import { type EntryLine, parseLine } from "./line.ts";
import { type Line, linesOf } from "./lines.ts";

/** How many lines one transaction writes, at most. */
const MOST_LINES = 1_000;

/** About how many characters of lines. */
const MOST_TEXT = 1_000_000;

/**
 * Where to.
 *
 * @typeParam Prepared What it makes of a value, to be written.
 */
export interface ImportTarget<Prepared> {
  /** The name of a kind's codec. */
  codecOf(kind: string): string;
  /** Checks and encodes a value. */
  prepare(kind: string, key: string, value: unknown): MaybePromise<Prepared>;
  /** Checks what its codec has encoded already. */
  accept(kind: string, key: string, bytes: Uint8Array): MaybePromise<Prepared>;
  /** Writes a value, inside a transaction. */
  put(
    kind: string,
    key: string,
    value: Prepared,
    origin: Origin,
  ): { readonly status: SetStatus };
  /** Whether an error is the storage's, not the line's. */
  isFailure(error: unknown): boolean;
  write<T>(job: BulkWrite<T>): Promise<T>;
}

/** What to import. */
export type ImportPlan =
  & Pick<ImportOptions, "onProgress" | "onRefused" | "signal">
  & {
    readonly kinds?: ReadonlySet<string>;
    readonly versions: boolean;
    readonly times: boolean;
  };

interface PreparedLine<Prepared> {
  readonly number: number;
  readonly kind: string;
  readonly key: string;
  readonly value: Prepared;
  readonly origin: Origin;
}

/** Imports a stream. Rejects with `ImportError` where a line is refused, and nobody is told. */
export async function importLines<Prepared>(
  target: ImportTarget<Prepared>,
  stream: ReadableStream<Uint8Array | string>,
  plan: ImportPlan,
): Promise<ImportResult> {
  const { signal } = plan;
  const source = signal
    ? stream.pipeThrough(new TransformStream(), { signal })
    : stream;
  const total = new Total(plan);
  const slice = new Slice();
  let batch = new Batch(target, plan);
  for await (const line of linesOf(source)) {
    await batch.add(line);
    if (batch.isFull) {
      await total.add(await batch.commit());
      batch = new Batch(target, plan);
    }
    if (slice.isUsedUp) await slice.nextTurn();
  }
  await total.add(await batch.commit());
  return total.result;
}

/** What came of a batch. */
interface Outcome {
  readonly counts: ImportResult;
  /** In the order of their numbers. */
  readonly refused: readonly RefusedLine[];
}

/** What came of the batches so far. */
class Total {
  readonly #plan: ImportPlan;
  #counts: ImportResult = NO_LINES;

  constructor(plan: ImportPlan) {
    this.#plan = plan;
  }

  get result(): ImportResult {
    return { ...this.#counts };
  }

  /** Adds a batch's, and tells of it. Those who are told may be asynchronous. */
  async add({ counts, refused }: Outcome): Promise<void> {
    for (const line of refused) {
      const told: unknown = this.#plan.onRefused?.(line);
      if (isPromise(told)) await told;
    }
    this.#counts = sumOf(this.#counts, counts);
    await this.#plan.onProgress?.(this.result);
  }
}

/** The lines of one transaction. */
class Batch<Prepared> {
  readonly #target: ImportTarget<Prepared>;
  readonly #plan: ImportPlan;
  readonly #writes: PreparedLine<Prepared>[] = [];
  readonly #refused: RefusedLine[] = [];
  #lines = 0;
  #skipped = 0;
  #text = 0;

  constructor(target: ImportTarget<Prepared>, plan: ImportPlan) {
    this.#target = target;
    this.#plan = plan;
  }

  get isFull(): boolean {
    return this.#lines >= MOST_LINES || this.#text >= MOST_TEXT;
  }

  /** Reads a line. */
  async add({ number, text }: Line): Promise<void> {
    this.#lines++;
    try {
      if (text instanceof Error) throw text;
      this.#text += text.length;
      if (text.trim() === "") return;
      const line = parseLine(text);
      if (this.#plan.kinds?.has(line.kind) ?? true) {
        this.#writes.push(await this.#prepare(number, line));
      } else {
        this.#skipped++;
      }
    } catch (error) {
      this.#refuse(number, error, this.#refused);
    }
  }

  async #prepare(
    number: number,
    line: EntryLine,
  ): Promise<PreparedLine<Prepared>> {
    const { kind, key, content } = line;
    const { versions, times } = this.#plan;
    return {
      number,
      kind,
      key,
      value:
        await ("bytes" in content
          ? this.#accept(kind, key, content.codec, content.bytes)
          : this.#target.prepare(kind, key, content.value)),
      origin: {
        version: versions ? line.version : undefined,
        updatedAt: times ? line.updatedAt : undefined,
      },
    };
  }

  #accept(
    kind: string,
    key: string,
    codec: string,
    bytes: Uint8Array,
  ): MaybePromise<Prepared> {
    const expected = this.#target.codecOf(kind);
    if (codec === expected) return this.#target.accept(kind, key, bytes);
    throw new TypeError(
      `its bytes are of the codec ${quoteText(codec)}, and the kind ${
        quoteText(kind)
      } has ${quoteText(expected)}`,
    );
  }

  /** Notes that a line is refused; throws where nobody is to be told. */
  #refuse(line: number, cause: unknown, refused: RefusedLine[]): void {
    const reason = reasonOf(cause);
    if (!this.#plan.onRefused) throw new ImportError(line, reason, { cause });
    refused.push({ line, reason });
  }

  /** Writes what was read, all of it or nothing. */
  async commit(): Promise<Outcome> {
    const writes = this.#writes;
    const written = writes.length === 0 ? NOTHING : await this.#target.write({
      action: `import the lines ${writes[0].number} to ${
        writes.at(-1)!.number
      }`,
      size: () => writes.length,
      steps: () => this.#write(),
    });
    const refused = [...this.#refused, ...written.refused]
      .sort((a, b) => a.line - b.line);
    const counts = sumOf(written.counts, {
      ...NO_LINES,
      lines: this.#lines,
      skipped: this.#skipped,
      refused: refused.length,
    });
    return { counts, refused };
  }

  *#write(): Generator<void, Outcome> {
    // It may run again.
    const counts = { ...NO_LINES };
    const refused: RefusedLine[] = [];
    for (const { number, kind, key, value, origin } of this.#writes) {
      try {
        counts[this.#target.put(kind, key, value, origin).status]++;
      } catch (error) {
        if (this.#target.isFailure(error)) throw error;
        this.#refuse(number, error, refused);
      }
      yield;
    }
    return { counts, refused };
  }
}

const NO_LINES = {
  lines: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  skipped: 0,
  refused: 0,
};

const NOTHING: Outcome = { counts: NO_LINES, refused: [] };

function sumOf(a: ImportResult, b: ImportResult): ImportResult {
  return {
    lines: a.lines + b.lines,
    created: a.created + b.created,
    updated: a.updated + b.updated,
    unchanged: a.unchanged + b.unchanged,
    skipped: a.skipped + b.skipped,
    refused: a.refused + b.refused,
  };
}
