/**
 * The checker of histories: what is linearizable passes, however odd it looks,
 * and each broken history is found, and told with the calls that show it.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Answer, Call, Operation } from "./support/history/calls.ts";
import { findFlaws } from "./support/history/check_history.ts";
import { parseTrace } from "./support/history/trace.ts";

/** A call: when it was called and answered (0 for never), and what it was. */
type Line = [from: number, to: number, call: Call, answer?: Answer];

const A = "k/a";
const B = "k/b";
const set = (value: string, ifVersion?: number): Call => ({
  do: "set",
  key: A,
  value,
  ifVersion,
});
const get = (key = A): Call => ({ do: "get", key });
const both = (value: string): Call => ({
  do: "atomic",
  checks: [],
  writes: [[A, value], [B, value]],
});
const wrote = (
  status: "created" | "updated" | "unchanged",
  version: number,
  revision: number,
): Answer => ({ written: { status, version, revision } });

function historyOf(lines: readonly Line[]): Operation[] {
  return lines.map(([from, to, call, answer], i) => ({
    id: `call${i}`,
    from,
    to: to || Infinity,
    call,
    answer,
  }));
}

const SOUND: Record<string, Line[]> = {
  "nothing at all": [],
  "a read that ends before the write that it sees": [
    [1, 9, set("x"), wrote("created", 1, 1)],
    [2, 3, get(), { value: "x" }],
  ],
  "a write that takes effect long after its process is killed": [
    [1, 0, set("x")],
    [2, 3, get(), { value: null }],
    [4, 5, get(), { value: "x" }],
  ],
  "a write that never takes effect": [
    [1, 0, set("x")],
    [2, 3, get(), { value: null }],
  ],
  "an unclear error whose write took effect": [
    [1, 2, set("x"), { unclear: "it cannot tell" }],
    [3, 4, get(), { value: "x" }],
  ],
  "a version that only calls without an answer explain": [
    [1, 0, set("x")],
    [2, 0, set("y")],
    [3, 4, set("z"), wrote("updated", 3, 3)],
  ],
  "a deletion that finds nothing at first, and something later": [
    [1, 9, { do: "atomic", checks: [], writes: [[A, null]] }, { committed: 2 }],
    [2, 3, set("x"), wrote("created", 1, 1)],
    [4, 5, get(), { value: null }],
  ],
  "two writes in the other order than they were answered": [
    [1, 9, set("x"), wrote("created", 1, 1)],
    [2, 8, set("y"), wrote("updated", 2, 2)],
    [10, 11, get(), { value: "y" }],
  ],
  "a write that changes nothing, and tells its entry's last change": [
    [1, 2, set("x"), wrote("created", 1, 1)],
    [3, 4, { do: "set", key: B, value: "y" }, wrote("created", 1, 2)],
    [5, 6, set("x"), wrote("unchanged", 1, 1)],
  ],
};

const BROKEN: Record<string, [lines: Line[], shown: readonly number[]]> = {
  "a stale read": [[
    [1, 2, set("x"), wrote("created", 1, 1)],
    [3, 4, set("y"), wrote("updated", 2, 2)],
    [5, 6, get(), { value: "x" }],
  ], [1, 2]],
  "a lost update": [[
    [1, 2, set("0"), wrote("created", 1, 1)],
    [3, 8, { do: "update", key: A, by: "p" }, {
      ...wrote("updated", 2, 2),
      value: "p<0",
    }],
    [4, 7, { do: "update", key: A, by: "q" }, {
      ...wrote("updated", 2, 3),
      value: "q<0",
    }],
  ], [1, 2]],
  "a write that appears twice": [[
    [1, 2, set("x"), wrote("created", 1, 1)],
    [3, 4, set("y"), wrote("updated", 2, 2)],
    [5, 6, get(), { value: "y" }],
    [7, 8, { do: "entry", key: A }, { entry: ["x", 3] }],
  ], [3]],
  "a read that goes back": [[
    [1, 9, set("x"), wrote("created", 1, 1)],
    [2, 3, get(), { value: "x" }],
    [4, 5, get(), { value: null }],
  ], [1, 2]],
  "an atomic operation that is seen in half": [[
    [1, 9, both("x"), { committed: 2 }],
    [2, 3, get(A), { value: "x" }],
    [4, 5, get(B), { value: null }],
  ], [0, 1, 2]],
  "a conflict with a version that never was": [[
    [1, 2, set("x"), wrote("created", 1, 1)],
    [3, 4, set("y", 5), { conflict: { key: A, expected: 5, actual: 7 } }],
  ], [0, 1]],
  "a conflict with the version that was asked for": [[
    [1, 2, set("x"), wrote("created", 1, 1)],
    [3, 4, set("y", 1), { conflict: { key: A, expected: 1, actual: 1 } }],
  ], [1]],
  "an effect after a refused call": [[
    [1, 2, set("x"), { refused: "BUSY" }],
    [3, 4, get(), { value: "x" }],
  ], [0, 1]],
  "a condition that was ignored": [[
    [1, 2, set("x"), wrote("created", 1, 1)],
    [3, 4, set("y", 0), wrote("updated", 2, 2)],
  ], [1]],
  "a deletion that tells another entry": [[
    [1, 2, set("x"), wrote("created", 1, 1)],
    [3, 4, set("y"), wrote("updated", 2, 2)],
    [5, 6, { do: "delete", key: A }, { entry: ["x", 2] }],
  ], [1, 2]],
  "revisions that go back": [[
    [1, 2, set("x"), wrote("created", 1, 2)],
    [3, 4, { do: "set", key: B, value: "y" }, wrote("created", 1, 1)],
  ], [0, 1]],
  "two changes of one revision": [[
    [1, 4, set("x"), wrote("created", 1, 1)],
    [2, 3, { do: "set", key: B, value: "y" }, wrote("created", 1, 1)],
  ], [0, 1]],
};

for (const [name, lines] of Object.entries(SOUND)) {
  Deno.test(`findFlaws() passes ${name}`, () => {
    assertEquals(findFlaws(historyOf(lines)), []);
  });
}

for (const [name, [lines, shown]] of Object.entries(BROKEN)) {
  Deno.test(`findFlaws() finds ${name}`, () => {
    const flaws = findFlaws(historyOf(lines));
    assertEquals(flaws.length > 0, true, "a flaw is found");
    for (const i of shown) assertStringIncludes(flaws.join("\n"), `call${i} `);
  });
}

Deno.test("findFlaws() finds a change log that differs from the answers", () => {
  const history = historyOf([[1, 2, set("x"), wrote("created", 1, 1)]]);
  const log = [{
    revision: 1,
    kind: "k",
    key: "a",
    type: "create" as const,
    version: 2,
    value: '"x"',
  }];
  assertStringIncludes(findFlaws(history, log).join("\n"), "call0 ");
});

Deno.test("findFlaws() finds an entry that was left as it is, and tells another entry's change", () => {
  const logged = (revision: number, key: string) => ({
    revision,
    kind: "k",
    key,
    type: "create" as const,
    version: 1,
    value: '"x"',
  });
  const log = [logged(1, "a"), logged(2, "b")];
  const historyTelling = (revision: number) =>
    historyOf([
      [1, 2, set("x"), wrote("created", 1, 1)],
      [3, 4, { do: "set", key: B, value: "x" }, wrote("created", 1, 2)],
      [5, 6, set("x"), wrote("unchanged", 1, revision)],
    ]);
  assertEquals(findFlaws(historyTelling(1), log), []);
  for (const revision of [2, 3]) {
    const flaws = findFlaws(historyTelling(revision), log);
    assertStringIncludes(flaws.join("\n"), "call2 ");
  }
});

Deno.test("parseTrace() leaves out the line that a killed process began", () => {
  const [first, second] = parseTrace(
    '\n["1","call",{"do":"get","key":"k/a"}]\n\n["1","answ\n["2","call",{"do":"get","key":"k/a"}]\n\n["2","answer",{"value":null}]\n',
  );
  assertEquals([first.id, first.answer, first.to], ["1", undefined, Infinity]);
  assertEquals([second.answer, second.from < second.to], [
    { value: null },
    true,
  ]);
});
