/**
 * Calls of a store's operations as data: what a caller asks, and what it is
 * answered. Each call of a history has an id, and writes values that name it,
 * so a value tells which call wrote it.
 *
 * @module
 */

/** Options of a write, as data. */
interface Condition {
  ifVersion?: number;
}

/** A write in an atomic operation: a value, or `null` to delete. */
export type AtomicWrite = readonly [key: string, value: string | null];

/** What a caller asks. A key is `kind/name`. */
export type Call =
  | { do: "get"; key: string }
  | { do: "entry"; key: string }
  /** Lists a kind. These are all keys that the kind may have. */
  | { do: "list"; keys: readonly string[] }
  | { do: "set"; key: string; value: string } & Condition
  /** `by` is the call's id. Without it, the function returns what it is given. */
  | { do: "update"; key: string; by?: string; initial?: string }
  | { do: "delete"; key: string } & Condition
  | {
    do: "atomic";
    checks: readonly (readonly [key: string, version: number])[];
    writes: readonly AtomicWrite[];
  };

/** What a write is told of its entry. */
export interface Written {
  status: "created" | "updated" | "unchanged";
  version: number;
  revision: number;
}

/** What a caller is answered. */
export type Answer =
  /** Of `get`. */
  | { value: string | null }
  /** Of `entry` and `delete`. */
  | { entry: readonly [value: string, version: number] | null }
  /** Of `list`: value by key. */
  | { values: Readonly<Record<string, string>> }
  /** Of `set` and `update`; `value` is of `update`. */
  | { written: Written; value?: string }
  /** Of `atomic`. */
  | { committed: number }
  /** Of a write whose condition does not hold. */
  | { conflict: { key: string; expected: number; actual: number } }
  /** Of `update` without a value. */
  | { missing: true }
  /** An error that promises that nothing was done. */
  | { refused: string }
  /** An error after which the call may have had its effect, now or later. */
  | { unclear: string };

/** A call of a history. */
export interface Operation {
  readonly id: string;
  readonly call: Call;
  /** Missing if the call has no answer, or an unclear one. */
  readonly answer?: Answer;
  /** When it was called: a place in the history's order. */
  readonly from: number;
  /** When it was answered. Without an answer, `Infinity`. */
  readonly to: number;
}

/** The keys that a call is about. */
export function keysOf(call: Call): readonly string[] {
  switch (call.do) {
    case "list":
      return call.keys;
    case "atomic":
      return [
        ...new Set([...call.checks, ...call.writes].map(([key]) => key)),
      ];
    default:
      return [call.key];
  }
}

/** What a call may write: a key and a value, or of `update` the value's author. */
export function writesOf(call: Call): readonly AtomicWrite[] {
  if (call.do === "atomic") return call.writes;
  if (call.do === "set") return [[call.key, call.value]];
  if (call.do === "update" && call.by) return [[call.key, call.by]];
  return [];
}

/** Whether a call can only read. */
export function isRead({ do: what }: Call): boolean {
  return what === "get" || what === "entry" || what === "list";
}

/** Whether a call changed nothing, as its answer says. `atomic` does not say. */
export function changedNothing({ call, answer }: Operation): boolean {
  if (!answer) return false;
  if ("written" in answer) return answer.written.status === "unchanged";
  if ("entry" in answer && answer.entry === null) return true;
  return isRead(call) || "conflict" in answer || "missing" in answer;
}

/** What `update` makes of a value: it names the call, and the call that wrote the value before. */
export function updated(previous: string, by: string | undefined): string {
  return by === undefined ? previous : `${by}<${authorOf(previous)}`;
}

/** The id of the call that wrote a value. */
export function authorOf(value: string): string {
  return value.split("<", 1)[0];
}

/** A call and its answer in one line. */
export function tellOperation(
  { id, call, answer, from, to }: Operation,
): string {
  const { do: what, ...given } = call;
  const interval = `${from}..${to === Infinity ? "" : to}`;
  const outcome = answer ? JSON.stringify(answer) : "no answer";
  return `${interval} ${id} ${what} ${JSON.stringify(given)} -> ${outcome}`;
}
