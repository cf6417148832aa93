/**
 * A batch as the parameters of `zestor_write`, and its answer.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Effect, Outcome, Put } from "../../engine/write.ts";
import type { KeyRange } from "../../keys/key_range.ts";
import type {
  DecidedChange,
  DecidedEntryChange,
  DecidedWrite,
  PlannedWrite,
} from "../../remote/batch_plan.ts";
import { BOUND, STEP } from "../format/write_function.ts";

/** From this number of simple puts, one statement carries out all of them. */
const SHORTEST_RUN = 4;
const LONGEST_RUN = 1_000;

/** The conditions of a write. */
type Conditions = Pick<DecidedWrite, "checks" | "seen" | "time">;

/** A batch, as arrays of steps. */
export class BatchSteps {
  readonly #ends: number[] = [];
  readonly #ops: number[] = [];
  readonly #kinds: string[] = [];
  readonly #keys: string[] = [];
  readonly #nums: (number | null)[] = [];
  readonly #offs: (number | null)[] = [];
  readonly #lens: (number | null)[] = [];
  readonly #expiries: (number | null)[] = [];
  readonly #extras: (string | null)[] = [];
  readonly #runEnds: number[] = [];
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  /** The step at which the present run of simple puts begins, and the names in it. */
  #runStart = 0;
  readonly #run = new Set<string>();

  /** The number of steps. */
  get size(): number {
    return this.#ops.length;
  }

  /** The number of bytes of values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a whole write. */
  addWrite({ decided }: PlannedWrite): void {
    const { changes, end } = decided;
    this.addConditions(decided);
    if (end === "fails") this.#add(STEP.fail, "", "");
    // No entry has this name, so the condition never holds.
    else if (end === "stale") this.#add(STEP.seen, "", "", { value: NONE });
    else changes.forEach((change) => this.addChange(change));
    this.endWrite();
  }

  /** Adds the conditions of a write. */
  addConditions({ checks, seen, time }: Conditions): void {
    for (const check of checks) {
      const { kind, key } = check;
      if ("version" in check) {
        this.#add(STEP.checkVersion, kind, key, { num: check.version });
      } else if ("revision" in check) {
        this.#add(STEP.checkRevision, kind, key, { num: check.revision });
      } else {
        const num = check.exists ? 1 : 0;
        this.#add(STEP.checkExists, kind, key, { num });
      }
    }
    for (const { kind, key, value } of seen) {
      this.#add(STEP.seen, kind, key, { value });
    }
    if (!time) return;
    const { from, until } = time;
    this.#add(STEP.during, "", "", {
      num: Number.isFinite(from) ? from : undefined,
      expiry: Number.isFinite(until) ? until : undefined,
    });
  }

  /** Adds a change. */
  addChange(change: DecidedChange): void {
    if ("range" in change) return this.#addRange(change.kind, change.range);
    const { kind, key, next, mayRemove } = change;
    if (next === "keep") return this.#add(STEP.keep, kind, key);
    if (next === "remove") {
      const step = mayRemove ? STEP.removeTelling : STEP.remove;
      return this.#add(step, kind, key);
    }
    this.#addPut(change, next);
  }

  #addPut({ kind, key }: DecidedEntryChange, put: Put): void {
    const { value, expiresAt, origin } = put;
    if (expiresAt === "keep") {
      return this.#add(STEP.putKeeping, kind, key, { value });
    }
    if (origin) {
      return this.#add(STEP.putFrom, kind, key, {
        value,
        expiry: expiresAt,
        num: origin.version,
        extra: origin.updatedAt && String(origin.updatedAt.getTime()),
      });
    }
    this.#add(STEP.put, kind, key, { value, expiry: expiresAt });
  }

  #addRange(kind: string, { lower, upper }: KeyRange): void {
    const num = (lower.inclusive ? BOUND.lowerInclusive : 0) |
      (upper ? BOUND.hasUpper : 0) |
      (upper?.inclusive ? BOUND.upperInclusive : 0);
    this.#add(STEP.removeRange, kind, lower.key, { num, extra: upper?.key });
  }

  #add(
    op: number,
    kind: string,
    key: string,
    { num, value, expiry, extra }: {
      num?: number;
      value?: Uint8Array;
      expiry?: number;
      extra?: string;
    } = {},
  ): void {
    this.#continueRun(op === STEP.put ? `${kind}\0${key}` : undefined);
    this.#ops.push(op);
    this.#kinds.push(kind);
    this.#keys.push(key);
    this.#nums.push(num ?? null);
    this.#offs.push(value ? this.#bytes : null);
    this.#lens.push(value?.byteLength ?? null);
    this.#expiries.push(expiry ?? null);
    this.#extras.push(extra ?? null);
    this.#runEnds.push(0);
    if (!value) return;
    this.#parts.push(value);
    this.#bytes += value.byteLength;
  }

  /** A simple put extends the run, unless the run has the entry already. */
  #continueRun(name: string | undefined): void {
    const isNext = name !== undefined && !this.#run.has(name) &&
      this.#run.size < LONGEST_RUN;
    if (!isNext) this.#endRun();
    if (name === undefined) return;
    if (this.#run.size === 0) this.#runStart = this.#ops.length;
    this.#run.add(name);
  }

  #endRun(): void {
    if (this.#run.size >= SHORTEST_RUN) {
      this.#runEnds[this.#runStart] = this.#runStart + this.#run.size;
    }
    this.#run.clear();
  }

  /** The write is complete. */
  endWrite(): void {
    this.#ends.push(this.#ops.length);
  }

  /** The parameters, in the function's order. */
  parameters(): unknown[] {
    this.#endRun();
    return [
      this.#ends,
      this.#ops,
      this.#kinds,
      this.#keys,
      this.#nums,
      this.#offs,
      this.#lens,
      this.#expiries,
      this.#extras,
      this.#runEnds,
      // The client sends a single buffer unchanged, but an array of buffers as
      // text.
      Buffer.concat(this.#parts),
    ];
  }
}

const NONE = new Uint8Array();

/** The result of a batch: the newest revision, and the outcomes of the first writes. */
export interface BatchAnswer {
  readonly head: number;
  readonly writes: readonly WriteAnswer[];
}

type WriteAnswer =
  | ["d", revision: number, effects: EffectAnswer[]]
  | ["x", step: number, version?: number, revision?: number]
  | ["f"];

type EffectAnswer = [
  status: "c" | "u" | "n" | "r",
  version: number,
  revision: number,
  ...more: (number | null)[],
];

/** Reads an answer. */
export function readAnswer(text: string): BatchAnswer {
  const [head, writes] = JSON.parse(text);
  return { head, writes };
}

/** The outcomes of the writes that the server answered. */
export function outcomesOf(
  planned: readonly PlannedWrite[],
  { writes }: BatchAnswer,
): Outcome[] {
  let step = 0;
  return writes.map((answer, i) => {
    const outcome = outcomeOf(planned[i], answer, step);
    step += stepsOf(planned[i]);
    return outcome;
  });
}

/** The number of steps of a write. */
function stepsOf({ decided }: PlannedWrite): number {
  const { checks, seen, time, changes, end } = decided;
  const ending = end === "done" ? changes.length : 1;
  return checks.length + seen.length + (time ? 1 : 0) + ending;
}

function outcomeOf(
  { taken, decided, failure }: PlannedWrite,
  answer: WriteAnswer,
  firstStep: number,
): Outcome {
  switch (answer[0]) {
    case "d":
      return {
        type: "done",
        revision: answer[1],
        effects: answer[2].map((effect, i) =>
          effectOf(effect, decided.changes[i])
        ),
      };
    case "x": {
      const [, step, version, revision] = answer;
      const found = version === undefined
        ? undefined
        : { version, revision: revision! };
      return {
        type: "refused",
        check: taken.write.checks[step - firstStep],
        found,
      };
    }
    case "f":
      return { type: "failed", ...failure! };
  }
}

const STATUS = {
  c: "created",
  u: "updated",
  n: "unchanged",
  r: "removed",
} as const;

/** The effect of a change, from the function's answer. */
export function effectOf(
  [status, version, revision, ...more]: EffectAnswer,
  change: DecidedChange,
): Effect {
  const effect = { status: STATUS[status], version, revision };
  if ("range" in change) return { ...effect, count: more[0]! };
  if (more.length === 0) return effect;
  const [before, updatedAt, expiresAt] = more;
  return {
    ...effect,
    removed: {
      revision: before!,
      updatedAt: new Date(updatedAt!),
      expiresAt: expiresAt ?? undefined,
    },
  };
}
