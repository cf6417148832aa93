/**
 * A write that is too large for one call: several calls in one transaction.
 *
 * The invariants:
 * - If the write has changed anything, the server knows it by its batch's
 *   number.
 * - The answer is complete before the commit is sent. So the client has it,
 *   even if the commit's answer is lost.
 *
 * @module
 */
import type { Change } from "../../engine/write.ts";
import type { DecidedChange, PlannedWrite } from "../../remote/batch_plan.ts";
import { type BatchAnswer, BatchSteps } from "./batch.ts";

/** The largest number of steps of one call. */
const PART_STEPS = 2_000;
const PART_BYTES = 4 * 1024 * 1024;

/** Carries out a part. With a number, the server remembers the batch if it changes anything. */
export type CallPart = (
  batch: number | null,
  steps: BatchSteps,
) => Promise<BatchAnswer>;

/** The form in which a batch is sent: one call, or a large write in parts. */
export function callOf(
  planned: readonly PlannedWrite[],
): BatchSteps | WriteInParts {
  const [first] = planned;
  const { changes, end } = first.decided;
  if (planned.length === 1 && end === "done" && isLarge(changes)) {
    return new WriteInParts(first);
  }
  const steps = new BatchSteps();
  for (const write of planned) steps.addWrite(write);
  return steps;
}

/** Whether a write is too large for one call. */
export function isLarge(
  changes: readonly (DecidedChange | Change)[],
): boolean {
  if (changes.length > PART_STEPS) return true;
  let bytes = 0;
  for (const change of changes) {
    if ("range" in change || typeof change.next !== "object") continue;
    bytes += change.next.value.byteLength;
  }
  return bytes > PART_BYTES;
}

/** A large write. */
export class WriteInParts {
  readonly #parts: readonly BatchSteps[];
  #answer: BatchAnswer | undefined;
  #isWhole = false;

  /** Takes the write. */
  constructor({ decided }: PlannedWrite) {
    let steps = new BatchSteps();
    const parts = [steps];
    steps.addConditions(decided);
    for (const change of decided.changes) {
      if (steps.size >= PART_STEPS || steps.bytes >= PART_BYTES) {
        steps.endWrite();
        parts.push(steps = new BatchSteps());
      }
      steps.addChange(change);
    }
    steps.endWrite();
    this.#parts = parts;
  }

  /** Whether the last try was completed: all conditions held. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The result of the last try. */
  get answer(): BatchAnswer {
    if (!this.#answer) throw new TypeError("The write has no answer yet");
    return this.#answer;
  }

  /** Carries the write out in the transaction of the calls, from a revision on. */
  async carryOut(batch: number, from: number, call: CallPart): Promise<void> {
    this.#isWhole = false;
    const effects = [];
    let number: number | null = batch;
    let revision = from;
    let next: Promise<BatchAnswer> | undefined;
    for (const [i, part] of this.#parts.entries()) {
      const called = next ?? call(number, part);
      // The server works on one part while the next one is on its way.
      const following = number === null ? this.#parts[i + 1] : undefined;
      next = following && call(null, following);
      // If this part fails, its error counts.
      next?.catch(() => {});
      const answer = await called;
      const [write] = answer.writes;
      // A condition does not hold.
      if (write?.[0] !== "d") {
        this.#answer = answer;
        return;
      }
      if (answer.head > from) number = null;
      revision = write[1];
      effects.push(...write[2]);
    }
    this.#answer = { head: revision, writes: [["d", revision, effects]] };
    this.#isWhole = true;
  }
}
