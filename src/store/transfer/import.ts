/**
 * Writes the entries of a stream of lines, in transactions of limited size.
 *
 * The invariant: a transaction is written whole, and its counts and refused
 * lines are reported after it has been committed.
 *
 * @module
 */
import type {
  ImportOptions,
  ImportResult,
  RefusedLine,
  SetStatus,
} from "../../contract/mod.ts";
import { reasonOf } from "../../base/messages.ts";
import { ImportError } from "../../contract/errors.ts";
import {
  isPromise,
  type MaybePromise,
  unlessAborted,
} from "../../base/promises.ts";
import { Slice } from "../../base/slice.ts";
import type { Operation } from "../../engine/operation.ts";
import type {
  Change,
  Check,
  Decide,
  Effect,
  Next,
} from "../../engine/write.ts";
import type { PutOptions } from "../operations.ts";
import { FormatGuard } from "./format_guard.ts";
import { type EntryLine, parseLine } from "./line.ts";
import { type Line, LineSplitter } from "./lines.ts";
import { readUntilStopped } from "./source.ts";

/** How many lines one transaction writes, at most. */
const MOST_LINES = 1_000;

/** About how many characters of lines one transaction writes, at most. */
const MOST_TEXT = 1_000_000;

/**
 * The target of an import.
 *
 * @typeParam Prepared A value that is ready to be written.
 */
export interface ImportTarget<Prepared> {
  /** Checks and encodes a value. */
  prepare(kind: string, key: string, value: unknown): MaybePromise<Prepared>;
  /**
   * Checks bytes that the codec of this name has encoded. Throws if the kind
   * has another codec.
   */
  accept(
    kind: string,
    key: string,
    codec: string,
    bytes: Uint8Array,
  ): MaybePromise<Prepared>;
  /** The new state of an entry that gets a value, or a decision about it. */
  next(
    kind: string,
    key: string,
    value: Prepared,
    options: PutOptions,
  ): Next | Decide;
  write<T>(operation: Operation<T>): Promise<T>;
  /** How many lines a transaction can write. */
  readonly mostLines: number;
  /** Throws if the store is read-only. */
  assertWritable(): void;
}

/** The settings of an import. */
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
  readonly options: PutOptions;
}

/**
 * Imports a stream, which it reads to the end or cancels. Rejects with
 * `ImportError` if a line is refused and there is no `onRefused`. If a signal
 * aborts, it rejects with that signal's reason.
 */
export async function importLines<Prepared>(
  target: ImportTarget<Prepared>,
  stream: ReadableStream<Uint8Array | string>,
  plan: ImportPlan,
  signals: readonly (AbortSignal | undefined)[],
): Promise<ImportResult> {
  const run = new Run(target, plan);
  await readUntilStopped(stream, signals, async (chunks, stop) => {
    target.assertWritable();
    for await (const chunk of chunks) await run.add(chunk, stop);
    await run.end(stop);
  });
  return run.result;
}

/** A running import. */
class Run<Prepared> {
  readonly #target: ImportTarget<Prepared>;
  readonly #plan: ImportPlan;
  readonly #splitter = new LineSplitter();
  readonly #guard = new FormatGuard();
  readonly #slice = new Slice();
  readonly #total: Total;
  #batch: Batch<Prepared>;

  constructor(target: ImportTarget<Prepared>, plan: ImportPlan) {
    this.#target = target;
    this.#plan = plan;
    this.#total = new Total(plan);
    this.#batch = this.#newBatch();
  }

  get result(): ImportResult {
    return this.#total.result;
  }

  async add(chunk: unknown, stop: AbortSignal): Promise<void> {
    await this.#addAll(this.#splitter.add(chunk), stop);
  }

  async end(stop: AbortSignal): Promise<void> {
    await this.#addAll(this.#splitter.end(), stop);
    await this.#commit();
  }

  async #addAll(lines: Iterable<Line>, stop: AbortSignal): Promise<void> {
    for (const line of lines) {
      const added = this.#batch.add(line);
      if (added) await unlessAborted(added, stop);
      const { failure } = this.#guard;
      if (this.#batch.isFull || failure) {
        await this.#commit();
        stop.throwIfAborted();
      }
      if (failure) throw failure;
      if (this.#slice.isUsedUp) {
        await this.#slice.nextTurn();
        stop.throwIfAborted();
      }
    }
  }

  async #commit(): Promise<void> {
    const batch = this.#batch;
    this.#batch = this.#newBatch();
    await this.#total.add(await batch.commit());
  }

  #newBatch(): Batch<Prepared> {
    return new Batch(this.#target, this.#plan, this.#guard);
  }
}

/** The outcome of a batch. */
interface Outcome {
  readonly counts: ImportResult;
  /** In the order of their numbers. */
  readonly refused: readonly RefusedLine[];
}

/** The sum of the outcomes so far. */
class Total {
  readonly #plan: ImportPlan;
  #counts: ImportResult = NO_LINES;

  constructor(plan: ImportPlan) {
    this.#plan = plan;
  }

  get result(): ImportResult {
    return { ...this.#counts };
  }

  /**
   * Adds the outcome of a batch, and reports it. The callbacks may be
   * asynchronous.
   */
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
  readonly #guard: FormatGuard;
  readonly #writes: PreparedLine<Prepared>[] = [];
  readonly #refused: RefusedLine[] = [];
  #lines = 0;
  #skipped = 0;
  #text = 0;

  constructor(
    target: ImportTarget<Prepared>,
    plan: ImportPlan,
    guard: FormatGuard,
  ) {
    this.#target = target;
    this.#plan = plan;
    this.#guard = guard;
  }

  get isFull(): boolean {
    const most = Math.min(MOST_LINES, this.#target.mostLines);
    return this.#lines >= most || this.#text >= MOST_TEXT;
  }

  /** Adds a line. Returns a promise if its value's schema is asynchronous. */
  add({ number, text }: Line): Promise<void> | undefined {
    this.#lines++;
    if (typeof text === "string") this.#text += text.length;
    const line = this.#read(number, text);
    if (line === undefined) return undefined;
    const isWanted = this.#plan.kinds?.has(line.kind) ?? true;
    if (
      !isWanted || (line.expiresAt && line.expiresAt.getTime() <= Date.now())
    ) {
      this.#skipped++;
      return undefined;
    }
    return this.#prepare(number, line);
  }

  /**
   * Reads a line's entry. Returns nothing if the line is blank, or is not an
   * entry.
   */
  #read(number: number, text: string | Error): EntryLine | undefined {
    try {
      if (text instanceof Error) throw text;
      if (/^[ \t\r]*$/.test(text)) return undefined;
      const line = parseLine(text);
      this.#guard.passEntry();
      return line;
    } catch (cause) {
      const reason = this.#guard.passOther({ number, reason: reasonOf(cause) });
      this.#refuse({ line: number, reason }, cause, this.#refused);
      return undefined;
    }
  }

  #prepare(number: number, line: EntryLine): Promise<void> | undefined {
    const refuse = (cause: unknown) => {
      const reason = reasonOf(cause);
      this.#refuse({ line: number, reason }, cause, this.#refused);
    };
    try {
      const value = this.#prepareValue(line);
      if (!isPromise(value)) this.#addWrite(number, line, value);
      else {
        const add = (value: Prepared) => this.#addWrite(number, line, value);
        return Promise.resolve(value).then(add, refuse);
      }
    } catch (error) {
      refuse(error);
    }
    return undefined;
  }

  #addWrite(number: number, line: EntryLine, value: Prepared): void {
    const { kind, key } = line;
    const { versions, times } = this.#plan;
    const origin = {
      version: versions ? line.version : undefined,
      updatedAt: times ? line.updatedAt : undefined,
    };
    const options = { origin, expiresAt: line.expiresAt?.getTime() };
    this.#writes.push({ number, kind, key, value, options });
  }

  #prepareValue({ kind, key, content }: EntryLine): MaybePromise<Prepared> {
    return "bytes" in content
      ? this.#target.accept(kind, key, content.codec, content.bytes)
      : this.#target.prepare(kind, key, content.value);
  }

  /** Notes a refused line. Throws if there is no `onRefused`. */
  #refuse(line: RefusedLine, cause: unknown, refused: RefusedLine[]): void {
    if (this.#plan.onRefused) refused.push(line);
    else throw new ImportError(line.line, line.reason, { cause });
  }

  /**
   * Writes all lines that can be written. Writes nothing if a line is refused
   * and there is no `onRefused`.
   */
  async commit(): Promise<Outcome> {
    const refused = [...this.#refused];
    const counts = await this.#write(this.#writes, refused);
    refused.sort((a, b) => a.line - b.line);
    return {
      counts: sumOf(counts, {
        ...NO_LINES,
        lines: this.#lines,
        skipped: this.#skipped,
        refused: refused.length,
      }),
      refused,
    };
  }

  /**
   * Leaves out each refused line. The lines before it are written in a
   * transaction of their own. If they were written together with the rest, each
   * further refused line would undo them.
   */
  async #write(
    lines: readonly PreparedLine<Prepared>[],
    refused: RefusedLine[],
  ): Promise<ImportResult> {
    let counts: ImportResult = NO_LINES;
    let rest = lines;
    while (rest.length > 0) {
      try {
        const write = new LinesWrite(this.#target, rest);
        return sumOf(counts, await this.#target.write(write));
      } catch (error) {
        if (!(error instanceof LineError)) throw error;
        const { at, cause } = error;
        const { number } = rest[at];
        this.#refuse({ line: number, reason: reasonOf(cause) }, cause, refused);
        const before = await this.#write(rest.slice(0, at), refused);
        counts = sumOf(counts, before);
        rest = rest.slice(at + 1);
      }
    }
    return counts;
  }
}

/** The write of several lines. */
class LinesWrite<Prepared> implements Operation<ImportResult> {
  readonly checks: readonly Check[] = [];
  readonly #target: Pick<ImportTarget<Prepared>, "next">;
  readonly #lines: readonly PreparedLine<Prepared>[];

  constructor(
    target: Pick<ImportTarget<Prepared>, "next">,
    lines: readonly PreparedLine<Prepared>[],
  ) {
    this.#target = target;
    this.#lines = lines;
  }

  get action(): string {
    const { number: first } = this.#lines[0];
    return `import the lines ${first} to ${this.#lines.at(-1)!.number}`;
  }

  size(): number {
    return this.#lines.length;
  }

  *changes(): Iterable<Change> {
    for (const { kind, key, value, options } of this.#lines) {
      yield { kind, key, next: this.#target.next(kind, key, value, options) };
    }
  }

  done(effects: readonly Effect[]): ImportResult {
    const counts = { ...NO_LINES };
    for (const { status } of effects) counts[status as SetStatus]++;
    return counts;
  }

  refused(): never {
    throw new TypeError("Cannot refuse lines: they have no checks");
  }

  failed(error: unknown, at: number | undefined): unknown {
    return at === undefined ? error : new LineError(error, at);
  }
}

/** One line could not be written, so the whole write was undone. */
class LineError extends Error {
  readonly at: number;

  constructor(cause: unknown, at: number) {
    super("A line cannot be written", { cause });
    this.at = at;
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
