/**
 * Looks for an order in which the calls of a history could have been done one
 * after the other: each at some moment between its call and its answer, and each
 * with its answer. This is the search of Wing and Gong, with Lowe's memory of
 * what was tried (http://www.cs.ox.ac.uk/people/gavin.lowe/LinearizabiltyTesting/).
 *
 * A guess may tell which write comes first. A right guess makes the search
 * linear in the number of calls, a wrong one costs only time: what the search
 * proves never depends on the guess.
 *
 * @module
 */
import { authorOf, changedNothing, type Operation, writesOf } from "./calls.ts";
import { type State, step, tellState, UNNAMED } from "./states.ts";

/** How to search. */
export interface SearchOptions {
  readonly start: State;
  /** The place of a write in the order that is tried first. */
  readonly guess?: (operation: Operation) => number | undefined;
  /** How many writes to try before giving up. */
  readonly budget: number;
}

/** What was found. */
export type Search =
  | { found: "order"; order: readonly Operation[] }
  /** There is no order: nothing could be done when this call was answered, at the latest. */
  | { found: "none"; blocked: Operation }
  /** The budget was too small to tell. */
  | { found: "nothing yet"; blocked: Operation };

/** Looks for an order. */
export function linearize(
  operations: readonly Operation[],
  options: SearchOptions,
): Search {
  return new Linearizer(operations, options).run();
}

/** A call in the list of those that the order does not have yet. */
interface Node {
  readonly operation: Operation;
  /** Among those without an answer, calls of the same shape have the same. */
  readonly hash: readonly [number, number];
  /** Only those without an answer and a guess: tried last, each shape once. */
  readonly shape?: string;
  readonly guess: number;
  previous: Node;
  next: Node;
}

/** A state in which several writes may come next. */
interface Choice {
  readonly state: State;
  /** How long the order was. */
  readonly length: number;
  /** When the first call was answered that the order did not have. */
  readonly end: number;
  readonly nodes: Node[];
  tried: number;
  /** Whether `nodes` includes the calls without an answer and a guess. */
  isWhole: boolean;
}

class Linearizer {
  readonly #options: SearchOptions;
  /** The calls with an answer or a guess, by the time of the call. */
  readonly #list = ring();
  /** The other calls. */
  readonly #spare = ring();
  #left = 0;
  readonly #order: Node[] = [];
  readonly #choices: Choice[] = [];
  readonly #seen = new Set<string>();
  /** Of the calls in the order: two sums, which stand for the set. */
  #hash: [number, number] = [0, 0];
  #farthest = -1;
  #blocked: Operation | undefined;

  constructor(operations: readonly Operation[], options: SearchOptions) {
    this.#options = options;
    const sorted = [...operations].sort((a, b) => a.from - b.from);
    const hashes = new Map<string, readonly [number, number]>();
    const random = randomNumbers();
    const named = namedAuthors(sorted);
    for (const operation of sorted) {
      const guess = options.guess?.(operation);
      const isSpare = !operation.answer && guess === undefined;
      const blurred = isSpare ? blur(operation, named) : operation;
      const shape = isSpare ? JSON.stringify(blurred.call) : undefined;
      const name = shape ?? operation.id;
      const hash = hashes.get(name) ?? [random(), random()] as const;
      hashes.set(name, hash);
      if (operation.answer) this.#left++;
      append(isSpare ? this.#spare : this.#list, {
        operation: blurred,
        hash,
        shape,
        guess: guess ?? Infinity,
      });
    }
  }

  run(): Search {
    let state = this.#options.start;
    for (let budget = this.#options.budget; budget > 0; budget--) {
      const { enabled, end } = this.#settle(state);
      if (this.#left === 0) {
        const order = this.#order.map(({ operation }) => operation);
        return { found: "order", order };
      }
      this.#note(enabled);
      this.#choices.push(this.#choose(state, enabled, end));
      const next = this.#advance();
      if (!next) return { found: "none", blocked: this.#blocked! };
      state = next;
    }
    return { found: "nothing yet", blocked: this.#blocked! };
  }

  /**
   * Does each call that changed nothing, and can be done now: if it could be
   * done later, it can as well be done now. Gives the calls that are left.
   */
  #settle(state: State): { enabled: Node[]; end: number } {
    for (;;) {
      const enabled: Node[] = [];
      let end = Infinity;
      let isSettled = true;
      for (
        let node = this.#list.next;
        node !== this.#list && node.operation.from < end;
        node = node.next
      ) {
        const { operation } = node;
        if (
          changedNothing(operation) && step(state, operation) === state
        ) {
          this.#take(node);
          isSettled = false;
        } else {
          enabled.push(node);
          end = Math.min(end, operation.to);
        }
      }
      if (isSettled) return { enabled, end };
    }
  }

  #choose(state: State, enabled: Node[], end: number): Choice {
    const nodes = enabled.filter(({ operation }) => {
      const next = step(state, operation);
      return next && (operation.answer || next !== state);
    }).sort((a, b) => a.guess === b.guess ? 0 : a.guess - b.guess);
    const { length } = this.#order;
    return { state, length, end, nodes, tried: 0, isWhole: false };
  }

  /** Does the next write that has not been tried, and gives the state after it. */
  #advance(): State | undefined {
    for (;;) {
      const choice = this.#choices.at(-1);
      if (!choice) return undefined;
      this.#takeBack(choice.length);
      const node = this.#nextOf(choice);
      if (!node) {
        this.#choices.pop();
        continue;
      }
      const next = step(choice.state, node.operation)!;
      const [a, b] = sum(this.#hash, node.hash);
      const place = `${a} ${b} ${tellState(next)}`;
      if (this.#seen.has(place)) continue;
      this.#seen.add(place);
      this.#take(node);
      return next;
    }
  }

  #nextOf(choice: Choice): Node | undefined {
    if (choice.tried === choice.nodes.length && !choice.isWhole) {
      choice.isWhole = true;
      choice.nodes.push(...this.#spares(choice));
    }
    return choice.nodes[choice.tried++];
  }

  /** The calls without an answer and a guess that may have an effect now, one of each shape. */
  #spares({ state, end }: Choice): Node[] {
    const nodes = new Map<string, Node>();
    for (
      let node = this.#spare.next;
      node !== this.#spare && node.operation.from < end;
      node = node.next
    ) {
      if (nodes.has(node.shape!)) continue;
      const next = step(state, node.operation);
      if (next && next !== state) nodes.set(node.shape!, node);
    }
    return [...nodes.values()];
  }

  /** Notes the call that is to be done next, if the order was never this long. */
  #note(enabled: readonly Node[]): void {
    if (this.#order.length <= this.#farthest) return;
    this.#farthest = this.#order.length;
    this.#blocked = enabled.map(({ operation }) => operation)
      .reduce((first, other) => other.to < first.to ? other : first);
  }

  #take(node: Node): void {
    node.previous.next = node.next;
    node.next.previous = node.previous;
    this.#order.push(node);
    this.#hash = sum(this.#hash, node.hash);
    if (node.operation.answer) this.#left--;
  }

  #takeBack(length: number): void {
    while (this.#order.length > length) {
      const node = this.#order.pop()!;
      node.previous.next = node;
      node.next.previous = node;
      this.#hash = difference(this.#hash, node.hash);
      if (node.operation.answer) this.#left++;
    }
  }
}

// Rings of nodes. The first node holds no call.

function ring(): Node {
  const first = {} as Node;
  first.previous = first.next = first;
  return first;
}

function append(first: Node, node: Omit<Node, "previous" | "next">): void {
  const { previous } = first;
  first.previous = previous.next = { ...node, previous, next: first };
}

// Sums of 32 bits. Two sets of calls with the same two sums in the same state
// would be taken for one: of a million sets, two with a chance of 3 in 10^8.

function sum(
  [a, b]: readonly [number, number],
  [c, d]: readonly [number, number],
): [number, number] {
  return [(a + c) | 0, (b + d) | 0];
}

function difference(
  [a, b]: readonly [number, number],
  [c, d]: readonly [number, number],
): [number, number] {
  return [(a - c) | 0, (b - d) | 0];
}

function randomNumbers(): () => number {
  const numbers = new Int32Array(1024);
  let used = numbers.length;
  return () => {
    if (used === numbers.length) {
      crypto.getRandomValues(numbers);
      used = 0;
    }
    return numbers[used++];
  };
}

// Calls without an answer are many when processes are killed. Those whose value
// no answer names do the same, and trying one of them is trying them all.

/** The authors of the values that answers name, or that two calls write. */
function namedAuthors(operations: readonly Operation[]): Set<string> {
  const named = new Set<string>();
  const written = new Set<string>();
  const name = (value: string) =>
    value.split("<").forEach((id) => named.add(id));
  for (const { call, answer } of operations) {
    if (call.do === "update" && call.initial) name(call.initial);
    for (const [, value] of writesOf(call)) {
      if (value === null) continue;
      const author = authorOf(value);
      if (answer || written.has(author)) named.add(author);
      written.add(author);
    }
    if (answer) {
      JSON.stringify(answer, (_, part) => {
        if (typeof part === "string") name(part);
        return part;
      });
    }
  }
  return named;
}

function blur(operation: Operation, named: ReadonlySet<string>): Operation {
  const blurred = (value: string) =>
    named.has(authorOf(value)) ? value : UNNAMED;
  const { call } = operation;
  switch (call.do) {
    case "set":
      return { ...operation, call: { ...call, value: blurred(call.value) } };
    case "update":
      return {
        ...operation,
        call: { ...call, by: call.by && blurred(call.by) },
      };
    case "atomic": {
      const writes = call.writes.map(([key, value]) =>
        [key, value && blurred(value)] as const
      );
      return { ...operation, call: { ...call, writes } };
    }
    default:
      return operation;
  }
}
