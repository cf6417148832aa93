/**
 * What the calls of a history do, one after the other: a store as a map from
 * key to version and value.
 *
 * A state may be known in part: a missing version or value may be anything, and
 * a call that tells it makes it known. Each step on such a state allows at least
 * all that a store may do, so what it refuses no store may do.
 *
 * @module
 */
import {
  type Answer,
  type Call,
  type Operation,
  updated,
  type Written,
} from "./calls.ts";

/** What is known of an entry. Version 0 means that there is none. */
export interface Cell {
  readonly version?: number;
  readonly value?: string;
}

/** What is known of each key. */
export type State = Readonly<Record<string, Cell>>;

/** An entry that does not exist. */
export const ABSENT: Cell = { version: 0 };

/** An entry of which nothing is known. */
export const UNKNOWN: Cell = {};

/** Stands for any value that no answer names: two of them may differ. */
export const UNNAMED = "*";

/**
 * The state after a call, if its answer can be given in this state. It is the
 * same object if the call changes nothing. A call without an answer is taken to
 * have its effect; `undefined` means that it can have none here.
 */
export function step(
  state: State,
  { call, answer }: Operation,
): State | undefined {
  return answer ? answered(state, call, answer) : effectOf(state, call);
}

/** The cells in which two states differ: before and after, by key. */
export function changesBetween(
  before: State,
  after: State,
): Map<string, readonly [before: Cell, after: Cell]> {
  const changes = new Map<string, readonly [Cell, Cell]>();
  if (before === after) return changes;
  for (const key in before) {
    if (before[key] !== after[key]) changes.set(key, [before[key], after[key]]);
  }
  return changes;
}

/** A state as text, the same for equal states. */
export function tellState(state: State): string {
  let text = "";
  for (const key in state) {
    const { version, value } = state[key];
    text += `${version ?? "?"}=${value ?? "?"};`;
  }
  return text;
}

function answered(
  state: State,
  call: Call,
  answer: Answer,
): State | undefined {
  if ("conflict" in answer) return conflicting(state, call, answer.conflict);
  if (call.do === "list") {
    if (!("values" in answer)) return undefined;
    let next: State | undefined = state;
    for (const key of call.keys) {
      next = next && at(next, key, withValue(next[key], answer.values[key]));
    }
    return next;
  }
  if (call.do === "atomic") {
    return "committed" in answer ? effectOf(state, call) : undefined;
  }
  const { key } = call;
  return at(state, key, answeredAt(state[key], call, answer));
}

function answeredAt(
  cell: Cell,
  call: Extract<Call, { key: string }>,
  answer: Answer,
): Cell | undefined {
  if ("missing" in answer) {
    const mayMiss = call.do === "update" && call.initial === undefined;
    return mayMiss ? withVersion(cell, 0) : undefined;
  }
  if (call.do === "get") {
    return "value" in answer && !("written" in answer)
      ? withValue(cell, answer.value ?? undefined)
      : undefined;
  }
  if (call.do === "entry" || call.do === "delete") {
    if (!("entry" in answer)) return undefined;
    const checked = call.do === "delete" ? checkedCell(cell, call) : cell;
    const found = checked && withEntry(checked, answer.entry);
    return found && call.do === "delete" ? absent(found) : found;
  }
  if (!("written" in answer)) return undefined;
  if (call.do === "set") {
    const checked = checkedCell(cell, call);
    return checked && writtenCell(checked, call.value, answer.written);
  }
  return updatedCell(cell, call, answer);
}

function updatedCell(
  cell: Cell,
  call: Call & { do: "update" },
  { written, value }: { written: Written; value?: string },
): Cell | undefined {
  if (value === undefined) return undefined;
  const previous = written.status === "created" ? call.initial : cell.value;
  if (written.status === "created" && previous === undefined) return undefined;
  if (previous !== undefined && updated(previous, call.by) !== value) {
    return undefined;
  }
  return writtenCell(cell, value, written);
}

function writtenCell(
  cell: Cell,
  value: string,
  { status, version }: Written,
): Cell | undefined {
  if (status === "unchanged") {
    const found = version > 0 ? withVersion(cell, version) : undefined;
    return found && withValue(found, value);
  }
  if ((status === "created") !== (version === 1)) return undefined;
  const before = withVersion(cell, version - 1);
  return before && before.value !== value ? { version, value } : undefined;
}

function conflicting(
  state: State,
  call: Call,
  { key, expected, actual }: { key: string; expected: number; actual: number },
): State | undefined {
  if (expected === actual) return undefined;
  let checks: readonly (readonly [string, number | undefined])[] = [];
  if (call.do === "atomic") checks = call.checks;
  else if ("ifVersion" in call) checks = [[call.key, call.ifVersion]];
  let next: State | undefined = state;
  // Those before the first that fails hold.
  for (const [name, version] of checks) {
    const fails = name === key && version === expected;
    const found = fails ? actual : version!;
    next = next && at(next, name, withVersion(next[name], found));
    if (fails || !next) return next;
  }
  return undefined;
}

/** What a call does if no answer tells. */
function effectOf(state: State, call: Call): State | undefined {
  switch (call.do) {
    case "set": {
      const cell = checkedCell(state[call.key], call);
      return at(state, call.key, cell && put(cell, call.value));
    }
    case "update":
      return at(state, call.key, effectOfUpdate(state[call.key], call));
    case "delete": {
      const cell = checkedCell(state[call.key], call);
      return at(state, call.key, cell && absent(cell));
    }
    case "atomic": {
      let next: State | undefined = state;
      for (const [key, version] of call.checks) {
        next = next && at(next, key, withVersion(next[key], version));
      }
      for (const [key, value] of call.writes) {
        const cell: Cell | undefined = next?.[key];
        next = cell &&
          at(next!, key, value === null ? absent(cell) : put(cell, value));
      }
      return next;
    }
    default:
      return state;
  }
}

function effectOfUpdate(
  cell: Cell,
  { by, initial }: Call & { do: "update" },
): Cell | undefined {
  const previous = cell.version === 0 ? initial : cell.value;
  if (previous !== undefined) {
    return put(cell, by === UNNAMED ? UNNAMED : updated(previous, by));
  }
  return cell.version === 0 ? undefined : UNKNOWN;
}

// Cells.

function at(
  state: State,
  key: string,
  cell: Cell | undefined,
): State | undefined {
  if (!cell || cell === state[key]) return cell && state;
  return { ...state, [key]: cell };
}

function absent(cell: Cell): Cell {
  return cell.version === 0 ? cell : ABSENT;
}

function checkedCell(
  cell: Cell,
  { ifVersion }: { ifVersion?: number },
): Cell | undefined {
  return ifVersion === undefined ? cell : withVersion(cell, ifVersion);
}

/** The cell, if its version can be this one. */
function withVersion(cell: Cell, version: number): Cell | undefined {
  if (cell.version === version) return cell;
  if (cell.version !== undefined) return undefined;
  if (version === 0) return cell.value === undefined ? ABSENT : undefined;
  return { ...cell, version };
}

/** The cell, if its value can be this one; `undefined` is no entry. */
function withValue(cell: Cell, value: string | undefined): Cell | undefined {
  if (value === undefined) return withVersion(cell, 0);
  if (cell.version === 0) return undefined;
  if (cell.value === value) return cell;
  return cell.value === undefined ? { ...cell, value } : undefined;
}

function withEntry(
  cell: Cell,
  entry: readonly [value: string, version: number] | null,
): Cell | undefined {
  if (entry === null) return withVersion(cell, 0);
  const [value, version] = entry;
  const found = version > 0 ? withVersion(cell, version) : undefined;
  return found && withValue(found, value);
}

/** The cell after a value is written to it; the same if it has the value. */
function put(cell: Cell, value: string): Cell {
  if (cell.value === value && value !== UNNAMED) return cell;
  const { version } = cell;
  if (version === 0) return { version: 1, value };
  // Without the value before, nobody knows whether this one changes anything.
  return version === undefined || cell.value === undefined
    ? { value }
    : { version: version + 1, value };
}
