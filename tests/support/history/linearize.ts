/**
 * Looks for an order in which the calls of a history could have been done one
 * after the other: each at some moment between its call and its answer, and each
 * with its answer. This is the search of Wing and Gong, with Lowe's memory of
 * what was tried (http://www.cs.ox.ac.uk/people/gavin.lowe/LinearizabiltyTesting/).
 *
 * A change log may tell which changes came first. The search tries that order
 * first. If the log is right, the search is linear in the number of calls; if it
 * is wrong, that costs only time. What the search proves does not depend on it.
 *
 * @module
 */
import { authorOf, changedNothing, type Operation, writesOf } from "./calls.ts";
import { type Logged, revisionOf } from "./revisions.ts";
import {
  changesBetween,
  type State,
  step,
  tellState,
  UNNAMED,
} from "./states.ts";

/** How to search. */
export interface SearchOptions {
  readonly start: State;
  /** The changes of the keys in the state, in the order that is tried first. */
  readonly log?: readonly Logged[];
  /** How many writes to try before giving up. */
  readonly budget: number;
}

/** What was found. */
export type Search =
  | { found: "order" }
  /** No order. */
  | { found: "none" } & Farthest
  /** The budget was too small to tell. */
  | { found: "nothing yet" } & Farthest;

/** How far the longest order came. */
export interface Farthest {
  /** The call that could not be done, or is to be answered first. */
  blocked: Operation;
  /** The calls without an answer that had an effect. */
  effects: readonly string[];
}

/** Looks for an order. */
export function linearize(
  operations: readonly Operation[],
  options: SearchOptions,
): Search {
  return new Linearizer(operations, options).run();
}

/** A call in the ring of those that the order does not have yet. */
interface Node {
  readonly operation: Operation;
  /** Calls of the same shape have the same. */
  readonly hash: readonly [number, number];
  /** Of a call without an answer: those of one shape do the same. */
  readonly shape?: string;
  previous: Node;
  next: Node;
}

/** A state in which several writes may come next. */
interface Choice {
  readonly state: State;
  /** How many changes were made until this state. */
  readonly changes: number;
  /** How long the order was. */
  readonly length: number;
  /** When the first call was answered that the order did not have. */
  readonly end: number;
  readonly nodes: Node[];
  tried: number;
  /** Whether `nodes` includes all calls without an answer. */
  isWhole: boolean;
}

class Linearizer {
  readonly #options: SearchOptions;
  /** The calls with an answer, by the time of the call. */
  readonly #answered = ring();
  /** The other calls. */
  readonly #unanswered = ring();
  #left = 0;
  readonly #order: Node[] = [];
  readonly #choices: Choice[] = [];
  readonly #seen = new Set<string>();
  /** Of the calls in the order: two sums, which stand for the set. */
  #hash: [number, number] = [0, 0];
  /** The calls without an answer in the order. */
  #effectsSoFar: readonly string[] = [];
  #length = -1;
  #farthest: Farthest | undefined;

  constructor(operations: readonly Operation[], options: SearchOptions) {
    this.#options = options;
    const sorted = [...operations].sort((a, b) => a.from - b.from);
    const hashes = new Map<string, readonly [number, number]>();
    const random = randomNumbers();
    const named = namedAuthors(sorted, options.log ?? []);
    for (const operation of sorted) {
      const isAnswered = operation.answer !== undefined;
      const known = isAnswered ? operation : blur(operation, named);
      const shape = isAnswered ? undefined : JSON.stringify(known.call);
      const name = shape ?? operation.id;
      const hash = hashes.get(name) ?? [random(), random()] as const;
      hashes.set(name, hash);
      if (isAnswered) this.#left++;
      append(isAnswered ? this.#answered : this.#unanswered, {
        operation: known,
        hash,
        shape,
      });
    }
  }

  run(): Search {
    let { start: state } = this.#options;
    let changes = 0;
    for (let { budget } = this.#options; budget > 0; budget--) {
      const { enabled, end } = this.#settle(state);
      if (this.#left === 0) return { found: "order" };
      this.#note(enabled);
      this.#choices.push(this.#choose(state, changes, enabled, end));
      const next = this.#advance();
      if (!next) return { found: "none", ...this.#farthest! };
      ({ state, changes } = next);
    }
    return { found: "nothing yet", ...this.#farthest! };
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
      for (const node of inRing(this.#answered)) {
        const { operation } = node;
        if (operation.from > end) break;
        if (changedNothing(operation) && step(state, operation) === state) {
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

  /** The writes that may come next: first the one that the log has next. */
  #choose(
    state: State,
    changes: number,
    enabled: readonly Node[],
    end: number,
  ): Choice {
    const { length } = this.#order;
    const writes = enabled.filter(({ operation }) => step(state, operation))
      .sort((a, b) => toldRevision(a) - toldRevision(b) || 0);
    const choice = { state, changes, length, end, tried: 0, isWhole: false };
    const changesOf = ({ operation }: Node) =>
      changesBetween(state, step(state, operation)!).size;
    let first = writes.filter((node) => this.#follows(choice, node))
      .sort((a, b) =>
        // Calls with fewer changes fit fewer places.
        changesOf(a) - changesOf(b) || a.operation.to - b.operation.to
      );
    if (first.length === 0 && this.#options.log?.[changes]) {
      first = this.#effects(state, end)
        .filter((node) => this.#follows(choice, node))
        .sort((a, b) => conditionsOf(b) - conditionsOf(a));
    }
    return { ...choice, nodes: [...new Set([...first, ...writes])] };
  }

  /** Whether a write makes the changes that the log has next. */
  #follows(
    { state, changes }: Pick<Choice, "state" | "changes">,
    { operation }: Node,
  ): boolean {
    const { log } = this.#options;
    if (!log) return false;
    const made = changesBetween(state, step(state, operation)!);
    const told = revisionOf(operation);
    if (made.size === 0) {
      // What it was told is the revision of a change before it.
      const next = log[changes]?.revision ?? Infinity;
      return told !== undefined && told.revision < next;
    }
    const logged = log.slice(changes, changes + made.size);
    const last = logged.at(-1)?.revision;
    if (told && told.revision !== last) return false;
    // The changes of one call have revisions without a gap.
    if (last !== logged[0]?.revision + made.size - 1) return false;
    return logged.every((change) => {
      const [before, after] = made.get(change.key) ?? [];
      if (!before || !after) return false;
      return change.type === "delete"
        ? after.version === 0 && before.version === change.version
        : after.version === change.version && after.value === change.value;
    });
  }

  /** Does the next write that has not been tried, and gives the state after it. */
  #advance(): { state: State; changes: number } | undefined {
    for (;;) {
      const choice = this.#choices.at(-1);
      if (!choice) return undefined;
      this.#takeBack(choice.length);
      const node = this.#nextOf(choice);
      if (!node) {
        this.#choices.pop();
        continue;
      }
      const state = step(choice.state, node.operation)!;
      const [a, b] = sum(this.#hash, node.hash);
      const place = `${a} ${b} ${tellState(state)}`;
      if (this.#seen.has(place)) continue;
      this.#seen.add(place);
      this.#take(node);
      const { size } = changesBetween(choice.state, state);
      return { state, changes: choice.changes + size };
    }
  }

  #nextOf(choice: Choice): Node | undefined {
    if (choice.tried === choice.nodes.length && !choice.isWhole) {
      choice.isWhole = true;
      choice.nodes.push(...this.#effects(choice.state, choice.end));
    }
    return choice.nodes[choice.tried++];
  }

  /** The calls without an answer that may have an effect now, one of each shape. */
  #effects(state: State, end: number): Node[] {
    const nodes = new Map<string, Node>();
    for (const node of inRing(this.#unanswered)) {
      if (node.operation.from > end) break;
      if (nodes.has(node.shape!)) continue;
      const next = step(state, node.operation);
      if (next && next !== state) nodes.set(node.shape!, node);
    }
    return [...nodes.values()];
  }

  /** Notes how far the order has come, if it was never this long. */
  #note(enabled: readonly Node[]): void {
    if (this.#order.length <= this.#length) return;
    this.#length = this.#order.length;
    this.#farthest = {
      blocked: enabled.map(({ operation }) => operation)
        .reduce((first, other) => other.to < first.to ? other : first),
      effects: this.#effectsSoFar,
    };
  }

  #take(node: Node): void {
    node.previous.next = node.next;
    node.next.previous = node.previous;
    this.#order.push(node);
    this.#hash = sum(this.#hash, node.hash);
    if (node.operation.answer) this.#left--;
    else this.#effectsSoFar = [...this.#effectsSoFar, node.operation.id];
  }

  #takeBack(length: number): void {
    while (this.#order.length > length) {
      const node = this.#order.pop()!;
      node.previous.next = node;
      node.next.previous = node;
      this.#hash = difference(this.#hash, node.hash);
      if (node.operation.answer) this.#left++;
      else this.#effectsSoFar = this.#effectsSoFar.slice(0, -1);
    }
  }
}

/** The place of a write in the order of the revisions, as far as it was told. */
function toldRevision({ operation }: Node): number {
  const told = revisionOf(operation);
  if (!told) return Number.MAX_VALUE;
  return told.of === "change" ? told.revision : told.revision + 0.5;
}

/** How many conditions a call has: one with more has fewer places to be. */
function conditionsOf({ operation: { call } }: Node): number {
  if (call.do === "atomic") return call.checks.length + call.writes.length;
  return "ifVersion" in call ? 1 : 0;
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

/** The nodes of a ring; one may be taken out when it is given. */
function* inRing(first: Node): Generator<Node> {
  for (let node = first.next; node !== first; node = node.next) yield node;
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
function namedAuthors(
  operations: readonly Operation[],
  log: readonly Logged[],
): Set<string> {
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
  for (const { value } of log) name(value);
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
