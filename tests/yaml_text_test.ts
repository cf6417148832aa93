/**
 * What the YAML codec reads of text by another hand: merge keys as the parser
 * reads them, and no text that would take more time than its length is worth.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { parse } from "@std/yaml";
import { yaml } from "../src/values/codecs/yaml.ts";

const encoder = new TextEncoder();
const decode = (text: string) => yaml.decode(encoder.encode(text));

const repeat = (text: string, count: number) =>
  Array(count).fill(text).join(", ");
const keys = (count: number) =>
  Array.from({ length: count }, (_, i) => `k${i}: 1`).join(", ");
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i) + "\n").join("");

Deno.test("merge keys have the parser's meaning", () => {
  const texts = [
    "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3, z: 4}",
    "a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a, z: 4}",
    "a: &a {x: 1, y: 2}\nb:\n  y: 3\n  <<: *a\n  x: 4\n",
    "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}",
    "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, z: 3}",
    "s: &s [{x: 1}, {x: 2, y: 2}]\nc: {<<: *s, z: 3}",
    "a: &a {x: 1}\nb: {<<: *a, <<: {x: 2, y: 2}}",
    "a: &a {x: 1}\nb: {'<<': *a}",
    'a: &a {x: 1}\nb: {"<<": *a}',
    "a: &a {x: 1}\nb: [<<, 1 << 2, '<<', \"<<\", a<<b]\nc: *a",
    "a: &a {x: 1}\nb: {a<<b: 1, 'c << d': 2}\nc: *a",
    "a: &a {x: 1}\nb: |\n  << *a\n  <<: *a\nc: *a",
    "a: &a {2: x, 1: y}\nb: {z: 1, <<: *a, 3: w}",
    "a: &a {__proto__: {x: 1}}\nb: {<<: *a}",
    "a: &a {x: [1, 2]}\nb: &b {<<: *a}\nc: {<<: *b}\nd: [*a, *b]",
    "a: &a {x: 2001-01-01, y: !!binary aGk=}\nb: {<<: *a}\nc: *a",
    "- &a {x: 1}\n- <<: *a\n  y: 2\n",
    "a: &a {}\nb: {<<: *a}",
    "a: &a [1]\nb: {<<: [*a]}",
    "*a",
    "a: &a {x: \uE000, y: '\uE0000\uE000'}\nb: {<<: *a}",
    "a: &a {*x : 1}",
    "k: &k key\nm: {*k : 1, ? *k}",
    "k: &k key\nm: {*k : 1}\nn: {? [*k, b] : 2}\no: &o [1, 2]\np: {*o : 3}",
  ];
  for (const text of texts) {
    let expected: unknown;
    try {
      expected = parse(text);
    } catch {
      assertThrows(() => decode(text), SyntaxError, undefined, text);
      continue;
    }
    const value = decode(text);
    assertEquals(value, expected, text);
    assertEquals(JSON.stringify(value), JSON.stringify(expected), text);
  }
});

Deno.test("a merge key takes mappings only", () => {
  for (const source of ["*a", "[*a]", "[{x: 1}, *a]"]) {
    assertThrows(() => decode(`a: &a 1\nb: {<<: ${source}}`), SyntaxError);
  }
});

Deno.test("a key that comes twice is refused, also with << in it", () => {
  const text = "a: &a {x: 1}\nb: {c<<d: 1, c<<d: 2}\nc: *a";
  assertThrows(() => decode(text), SyntaxError);
});

Deno.test("many merge keys of small mappings are fine", () => {
  const text = `a: &a {x: 1, y: 2}\n${
    lines(20_000, (i) => `m${i}: {<<: *a, z: ${i}}`)
  }`;
  const value = decode(text) as Record<string, unknown>;
  assertEquals(value.m19999, { x: 1, y: 2, z: 19_999 });
});

const MERGE_BOMBS: Record<string, string> = {
  "one list of aliases": `a: &a {${keys(8_000)}}\nb: {<<: [${
    repeat("*a", 8_000)
  }]}`,
  "an alias of a list": `a: &a {${keys(200)}}\ns: &s [${repeat("*a", 200)}]\n${
    lines(200, (i) => `m${i}: {<<: *s}`)
  }`,
  "many mappings": `a: &a {${keys(2_000)}}\n${
    lines(2_000, (i) => `m${i}: {<<: *a}`)
  }`,
  "several merge keys of a mapping": `a: &a {${keys(2_000)}}\nb:\n${
    lines(2_000, () => "  <<: *a")
  }`,
  "mappings that merge those before": `a0: &a0 {${keys(400)}}\n${
    lines(
      400,
      (i) => `a${i + 1}: &a${i + 1} {<<: [*a${i}, *a${i}], x${i}: 1}`,
    )
  }`,
  "an anchor behind a quoted &": `{"x&":&a {${keys(2_000)}}, b: {<<: [${
    repeat("*a", 2_000)
  }]}}`,
};

for (const [name, text] of Object.entries(MERGE_BOMBS)) {
  Deno.test(`a merge bomb is refused: ${name}`, () => {
    assertThrows(() => decode(text), SyntaxError, "merge keys");
  });
}

Deno.test("a tag makes no merge key that has an alias", () => {
  const sources = `[${repeat("*a", 3)}]`;
  const texts = [
    `a: &a {x: 1}\nb: {!!merge "<\\x3c": ${sources}}`,
    `a: &a {x: 1}\nb: {!!merge : ${sources}}`,
    `a: &a {x: 1}\nb: {!<tag:yaml.org,2002:merge> "<<": ${sources}}`,
    `a: &a {x: 1}\nb: {!!m%65rge "<<": ${sources}}`,
    `%TAG !m! tag:yaml.org,2002:m\n---\na: &a {x: 1}\nb: {!m!erge "<<": ${sources}}`,
  ];
  for (const text of texts) {
    assertThrows(() => decode(text), SyntaxError, undefined, text);
  }
});

const KEY_BOMBS: Record<string, string> = {
  "a list of aliases of a long text": `s: &s ${"x".repeat(50_000)}\nb: {? [${
    repeat("*s", 5_000)
  }] : 1}`,
  "several such lists": `s: &s ${"x".repeat(50_000)}\nb:\n${
    lines(5_000, (i) => `  ? [*s, ${i}]\n  : 1`)
  }`,
  "aliases of a long list": `s: &s [${repeat("0", 20_000)}]\nb: [${
    repeat("{*s : 1}", 5_000)
  }]`,
  "aliases of a list of aliases": `t: &t ${"x".repeat(20_000)}\ns: &s [${
    repeat("*t", 500)
  }]\nb: [${repeat("{*s : 1}", 500)}]`,
};

for (const [name, text] of Object.entries(KEY_BOMBS)) {
  Deno.test(`a key bomb is refused: ${name}`, () => {
    assertThrows(() => decode(text), SyntaxError, "keys");
  });
}

Deno.test("keys count for the size of a value with its aliases", () => {
  const text = `k: &k ${"x".repeat(40_000)}\nm: &m {*k : 1}\nl: [${
    repeat("*m", 1_000)
  }]`;
  assertThrows(() => decode(text), SyntaxError, "written out");
});

Deno.test("too many levels are a SyntaxError", () => {
  for (const level of ["[", "- ", "? "]) {
    assertThrows(() => decode(level.repeat(100_000)), SyntaxError);
  }
});

Deno.test("the codec decodes its own text in any form", () => {
  const code =
    "if (a << 2 ? *p : !merge) f(&p, **q); // <<: *p [*p]: {*p : 1}\n";
  const values = [
    code.repeat(3_000),
    { [code]: code, "**/*.ts": "&p", "*p": "<<", "? *p": "&x *x" },
    Object.fromEntries(
      Array.from({ length: 3_000 }, (_, i) => [`*p${i}, *p`, `&p ${code}`]),
    ),
    ["<<", "&a", "*a", "!!merge", { "<<": { "*a": "&a" } }, "%TAG ! &a *a"],
    { "<<": "&a b", c: "*a <<", "\uE000": "\uE0000\uE000 << &a *a" },
    `&a *a ${
      Array.from(
        { length: 100 },
        (_, i) => String.fromCharCode(0xe000 + i),
      ).join("")
    } <<`,
  ];
  for (const value of values) {
    assertEquals(yaml.decode(yaml.encode(value)), value);
  }
});
