/**
 * Cursors as text: what is read is what was made, whole, or an error that says
 * what to do.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { cursorOf, drawMark, MARKS, readCursor } from "../src/engine/cursor.ts";
import { withSeed } from "./support/random.ts";

const read = (value: unknown) => readCursor("watch", "after", value);

Deno.test("a cursor is read as it was made", () =>
  withSeed("cursors", (random) => {
    const whole = [
      ...Array.from({ length: 1_000 }, () => ({
        revision: random.below(2 ** 31) * random.below(2 ** 20),
        mark: drawMark(),
      })),
      { revision: 0, mark: 0 },
      { revision: Number.MAX_SAFE_INTEGER, mark: MARKS - 1 },
    ];
    for (const cursor of whole) {
      const text = cursorOf(cursor.revision, cursor.mark);
      assertEquals(read(text), cursor, text);
    }
  }));

Deno.test("a cursor's text is the same for ever", () => {
  assertEquals(cursorOf(12, 35), "z1-12-000000000z");
  assertEquals(cursorOf(0, MARKS - 1), "z1-0-2rrvthnxtr");
});

Deno.test("a mark has 48 bits", () => {
  const { random } = Math;
  try {
    Math.random = () => 0;
    assertEquals(drawMark(), 0);
    Math.random = () => 1 - 2 ** -53;
    assertEquals(drawMark(), MARKS - 1);
  } finally {
    Math.random = random;
  }
  assert(new Set(Array.from({ length: 1_000 }, drawMark)).size > 990);
});

Deno.test("a number is a revision of any store", () => {
  assertEquals(read(7), { revision: 7, mark: undefined });
});

const CUT = cursorOf(1_234, 5_678);

const notWhole: Record<string, readonly string[]> = {
  "cut": Array.from({ length: CUT.length }, (_, i) => CUT.slice(0, i)),
  "cut at the front": Array.from(
    { length: CUT.length - 1 },
    (_, i) => CUT.slice(i + 1),
  ),
  "longer": [`${CUT}0`, `${CUT} `, ` ${CUT}`, `${CUT}\n`, `${CUT}-1`],
  "written otherwise": [
    CUT.toUpperCase(),
    CUT.replace("-1234-", "-01234-"),
    CUT.replace("-1234-", "--1234-"),
    CUT.replace("-1234-", "-+1234-"),
    CUT.replace("-1234-", "-1.5-"),
    CUT.replace("-1234-", "-1e3-"),
    CUT.replace("z1", "z01"),
    CUT.replace("z1", "z"),
    CUT.replace("z1", "z0"),
    CUT.replace("1234", "١٢٣٤"),
  ],
  "past the last revision": [
    CUT.replace("1234", "9007199254740992"),
    CUT.replace("1234", "9007199254740993"),
    CUT.replace("1234", "9999999999999999"),
    CUT.replace("1234", "9".repeat(40)),
  ],
  "of a mark of more than 48 bits": [
    "z1-1-2rrvthnxts",
    "z1-1-zzzzzzzzzz",
  ],
  "another text": ["1234", "last", "zebra", "z2nd", "z9", "{}", "x".repeat(9)],
};

for (const [what, texts] of Object.entries(notWhole)) {
  Deno.test(`text that is not a complete cursor is refused: ${what}`, () => {
    for (const text of texts) {
      const error = assertThrows(() => read(text), TypeError);
      assertEquals(
        error.message,
        `Cannot watch: ${
          JSON.stringify(text)
        } is not a complete cursor; give the "cursor" of an event or a bookmark unchanged`,
      );
    }
  });
}

Deno.test("a cursor of a newer form is refused as such", () => {
  for (const text of ["z2-1234-00000004dq", "z10-1", "z2-x"]) {
    assertThrows(
      () => read(text),
      TypeError,
      `Cannot watch: the cursor "${text}" has a newer format; use a newer version of @zestor/store`,
    );
  }
});

Deno.test("a value that is neither text nor a number is refused", () => {
  for (const value of [null, true, {}, [], 1n, Symbol("z1")]) {
    assertThrows(
      () => read(value),
      TypeError,
      'Cannot watch: "after" must be a cursor or a revision, received ',
    );
  }
});
