/**
 * Makes a history that has no order small: the fewest calls that still have
 * none. Each step leaves out what a history with an order could do without, so
 * the calls that stay prove as much as the whole.
 *
 * @module
 */
import { changedNothing, keysOf, type Operation } from "./calls.ts";
import { linearize } from "./linearize.ts";
import { between, ofKey, type Part, unanswered } from "./parts.ts";

/** How many writes to try for one part: small parts need few. */
const BUDGET = 5_000;
/** How many calls the first part has that is tried. */
const FEWEST = 4;
/** Above this number, removing calls one by one takes too long. */
const MOST_TO_REMOVE = 400;

/**
 * Looks for a small part that has no order, and ends where a search was blocked.
 * Gives `undefined` if it finds none within its budget.
 */
export function shrink(part: Part, blocked: Operation): Part | undefined {
  const keys = keysOf(blocked.call);
  const candidates = [...keys.map((key) => ofKey(part, key)), part];
  for (const candidate of candidates) {
    const window = smallestWindow(candidate, blocked.to);
    if (window) return withoutNeedless(window);
  }
  return undefined;
}

/** The latest part of a history that has no order. */
function smallestWindow(part: Part, last: number): Part | undefined {
  const calls = part.operations.map(({ from }) => from)
    .filter((from) => from <= last).sort((a, b) => a - b);
  for (let count = FEWEST;; count *= 2) {
    const first = calls[Math.max(0, calls.length - count)];
    if (hasNoOrder(between(part, first, last))) {
      return narrowed(part, calls.slice(-count), last);
    }
    if (count >= calls.length) return undefined;
  }
}

/** Moves the beginning as near to the end as it can be. */
function narrowed(part: Part, calls: readonly number[], last: number): Part {
  let [fails, passes] = [0, calls.length];
  while (passes - fails > 1) {
    const middle = Math.floor((fails + passes) / 2);
    if (hasNoOrder(between(part, calls[middle], last))) fails = middle;
    else passes = middle;
  }
  return between(part, calls[fails], last);
}

/** Leaves out reads, and the answers of writes, that the proof does not need. */
function withoutNeedless(part: Part): Part {
  let { operations } = part;
  if (operations.length > MOST_TO_REMOVE) return part;
  for (const operation of operations) {
    if (!operation.answer) continue;
    const weaker = operations.flatMap((other) => {
      if (other !== operation) return [other];
      return changedNothing(operation) ? [] : [unanswered(operation)];
    });
    if (hasNoOrder({ ...part, operations: weaker })) operations = weaker;
  }
  return { ...part, operations };
}

function hasNoOrder({ start, operations }: Part): boolean {
  return linearize(operations, { start, budget: BUDGET }).found === "none";
}
