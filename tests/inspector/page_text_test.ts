/**
 * What the page makes of values, keys and URLs.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  compareKeys,
  placeOf,
} from "../../src/inspector/page/model/keys_order.ts";
import {
  hrefOf,
  parseRoute,
  type Route,
} from "../../src/inspector/page/model/route.ts";
import { diffOf } from "../../src/inspector/page/text/line_diff.ts";
import {
  lineOf,
  placeOfPath,
} from "../../src/inspector/page/text/place_of_path.ts";
import { type Token, tokensOf } from "../../src/inspector/page/text/tokens.ts";
import { Random } from "../support/random.ts";

function typesOf(tokens: readonly Token[]): string[] {
  return tokens.filter(({ type }) => type !== undefined)
    .map(({ type, text }) => `${type} ${text}`);
}

Deno.test("the pieces of a JSON text have their colours", () => {
  const text = '{"a\\"b": [1, -2.5e+3, "x", true, null], "c" : {}}';
  assertEquals(typesOf(tokensOf(text, "json")), [
    'key "a\\"b"',
    "number 1",
    "number -2.5e+3",
    'string "x"',
    "word true",
    "word null",
    'key "c"',
  ]);
});

Deno.test("the pieces of a YAML text have their colours", () => {
  const text = [
    "# About",
    "name: Alice: B",
    '"odd key": "x"',
    "list:",
    "  - 1",
    "  - key: .inf",
    "note: |",
    "  not: a key",
    "  # no comment",
    "done: false",
    "at: 2026-01-03T00:00:00.000Z",
  ].join("\n");
  assertEquals(typesOf(tokensOf(text, "yaml")), [
    "comment # About",
    "key name",
    "string Alice: B",
    'key "odd key"',
    'string "x"',
    "key list",
    "number 1",
    "key key",
    "number .inf",
    "key note",
    "string   not: a key\n  # no comment\n",
    "key done",
    "word false",
    "key at",
    "string 2026-01-03T00:00:00.000Z",
  ]);
});

Deno.test("the pieces of any text join to the text, and are not too many", () => {
  const random = new Random("1");
  const signs = [
    '"',
    "\\",
    ":",
    "\n",
    " ",
    "{",
    "[",
    "-",
    "1",
    "a",
    "#",
    "|",
    "'",
    "é",
    "😀",
    "\t",
  ];
  const texts = Array.from(
    { length: 500 },
    () =>
      Array.from({ length: 60 }, () => signs[random.below(signs.length)])
        .join(""),
  );
  const long = JSON.stringify(Array.from({ length: 50_000 }, (_, i) => i));
  // A search for colours that takes the square of the length would never end.
  const spaces = `- a${" ".repeat(300_000)}b`;
  for (const text of [...texts, "", long, spaces]) {
    for (const language of ["json", "yaml"] as const) {
      const tokens = tokensOf(text, language);
      assertEquals(tokens.map(({ text }) => text).join(""), text);
      assert(tokens.length < 3_100, `${tokens.length} tokens`);
    }
  }
});

Deno.test("keys are in the order of their bytes in UTF-8", () => {
  const encoder = new TextEncoder();
  const random = new Random("2");
  const signs = [
    "a",
    "b",
    "é",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "😀",
    "\u{10ffff}",
  ];
  const keys = Array.from({ length: 300 }, () =>
    Array.from(
      { length: 1 + random.below(4) },
      () => signs[random.below(signs.length)],
    ).join(""));
  const byBytes = keys.toSorted((a, b) => {
    const [x, y] = [encoder.encode(a), encoder.encode(b)];
    const at = x.findIndex((byte, i) => byte !== y[i]);
    return at < 0 ? x.length - y.length : x[at] - (y[at] ?? -1);
  });
  assertEquals(keys.toSorted(compareKeys), byBytes);
  const rows = ["a", "c", "e"].map((key) => ({ key }));
  assertEquals(placeOf(rows, "c"), { index: 1, isThere: true });
  assertEquals(placeOf(rows, "d"), { index: 2, isThere: false });
  assertEquals(placeOf(rows, "f"), { index: 3, isThere: false });
});

Deno.test("a route with any names survives its URL", () => {
  const routes: Route[] = [
    { view: "health" },
    { view: "entries", kind: "a&b=c#d?e/ü 😀%20", key: "+ +", tab: "edit" },
    {
      view: "entries",
      kind: "k",
      prefix: "p",
      start: "s",
      end: "e",
      past: "x",
      reverse: true,
      at: 0,
    },
    { view: "changes", kind: "k", text: "t", types: "create,delete" },
  ];
  for (const route of routes) {
    const parsed = Object.entries(parseRoute(hrefOf(route)))
      .filter(([, value]) => value !== undefined);
    assertEquals(Object.fromEntries(parsed), { ...route });
  }
  for (const odd of ["", "#", "#nothing?at=-1", "#entries?at=x&tab=y"]) {
    const { view, at, tab } = parseRoute(odd);
    assertEquals([view, at, tab], ["entries", undefined, undefined]);
  }
});

Deno.test("differences are by lines; long stretches without one are folded", () => {
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const after = lines.with(10, "other");
  const found = diffOf(lines.join("\n"), `${after.join("\n")}\n`)!;
  assertEquals(found.map(({ type, text }) => `${type} ${text}`), [
    "folded 7 lines without a difference",
    "same line 7",
    "same line 8",
    "same line 9",
    "removed line 10",
    "added other",
    "same line 11",
    "same line 12",
    "same line 13",
    "folded 6 lines without a difference",
  ]);
  assertEquals(diffOf("a\nb", "a\nb\n"), []);
  assertEquals(diffOf("", "a")!.map(({ type }) => type), ["added"]);
  const far = (sign: string) =>
    Array.from({ length: 5_000 }, (_, i) => `${sign}${i}`).join("\n");
  assertEquals(diffOf(far("a"), far("b")), undefined);
});

Deno.test("the line of a field in a JSON text is found", () => {
  const value = { a: [1, { "b c": "x]}" }], 'd"e': null, f: {} };
  const text = JSON.stringify(value, null, 2);
  const lineAt = (...path: (string | number)[]) => {
    const place = placeOfPath(text, path);
    return place === undefined
      ? undefined
      : text.split("\n")[lineOf(text, place) - 1].trim();
  };
  assertEquals(lineAt(), "{");
  assertEquals(lineAt("a"), '"a": [');
  assertEquals(lineAt("a", 0), "1,");
  assertEquals(lineAt("a", 1, "b c"), '"b c": "x]}"');
  assertEquals(lineAt('d"e'), '"d\\"e": null,');
  assertEquals(lineAt("f"), '"f": {}');
  for (const path of [["x"], ["a", 2], ["a", 0, "y"], ["f", "g"]]) {
    assertEquals(lineAt(...path), undefined);
  }
  for (const broken of ["", "{", '{"a', '{"a":', "[1, 2"]) {
    assertEquals(placeOfPath(broken, ["z"]), undefined);
  }
});
