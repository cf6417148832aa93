/**
 * JSON with nothing altered on the way, by itself: what is refused is also
 * tested with the command.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import {
  exactDigits,
  exactJson,
  isExact,
  parseExactJson,
} from "../src/values/codecs/exact_json.ts";

const encoder = new TextEncoder();

const EXACT = [
  "0",
  "-0",
  "-0.0",
  "0e5",
  "1.50",
  "1e2",
  "1E+2",
  "100e-2",
  "9007199254740992",
  "-9007199254740994",
  "1e22",
  "10000000000000000000000",
  "123456789012345680000",
  "0.1",
  "0.10000000000000001",
  "5e-324",
  "1.7976931348623157e308",
];

const ALTERED = [
  "9007199254740993",
  "-12345678901234567890",
  "123456789012345678901",
  "0.12345678901234567890",
  "1e309",
  "-1e309",
  "1e-324",
  "4.9e-325",
];

Deno.test("`isExact()` is true of numbers that are only written in another way", () => {
  for (const source of EXACT) assertEquals(isExact(source), true, source);
  for (const source of ALTERED) assertEquals(isExact(source), false, source);
});

Deno.test("`parseExactJson()` returns the same as `JSON.parse()`, or throws", () => {
  for (const source of EXACT) {
    const text = `{"a":[${source}]}`;
    assertEquals(parseExactJson(text), JSON.parse(text));
  }
  for (const source of ALTERED) {
    const text = `{"a":[true,\n ${source}]}`;
    assertThrows(
      () => parseExactJson(text),
      SyntaxError,
      "(line 2 column 2)",
    );
    assertEquals(parseExactJson(`"${source}"`), source);
  }
});

Deno.test("`parseExactJson()` finds names that come twice in the same object alone", () => {
  const sound = [
    `[{"a":1},{"a":1}]`,
    `{"a":{"a":{"a":[{"a":1}]}},"b":"a"}`,
    `{"a":"a","b":["a","a","b"]}`,
    `{"a\\"":1,"a":2,"\\"a":3}`,
    `{"":0," ":0}`,
    `["{\\"a\\":1,\\"a\\":2}"]`,
  ];
  for (const text of sound) {
    assertEquals(parseExactJson(text), JSON.parse(text));
  }
  const twice = [
    `{"a":1,"a":1}`,
    `{"a":{"b":1},"c":[],"a":1}`,
    `[0,{"x":[{}],"x":0}]`,
    `{"\\u0061":1,"a":1}`,
    `{"":0,"":0}`,
    `{"__proto__":1,"__proto__":2}`,
  ];
  for (const text of twice) {
    assertThrows(() => parseExactJson(text), SyntaxError, "comes twice", text);
  }
});

Deno.test("the exact codec keeps printed and stored values unchanged", () => {
  const texts = [
    ...EXACT,
    ...ALTERED,
    `{"a":[${ALTERED.join(",")}],"b":"12345678901234567890"}`,
  ].filter((text) => !/^(0e5|1\.50|1e2|1E|100e|-0\.0)/.test(text));
  for (const text of texts) {
    const value = exactJson.decode(encoder.encode(text));
    const printed = JSON.stringify(value);
    if (printed !== text) assertEquals(Number(printed), Number(text));
    assertEquals(
      exactDigits(value) ?? printed,
      printed,
    );
  }
  for (const text of ALTERED) {
    const value = exactJson.decode(encoder.encode(text));
    assertEquals(JSON.stringify(value), text);
    assertEquals(exactDigits(value), text);
    const stored = encoder.encode(`{"a":[${text},"${text}"]}`);
    assertEquals(exactJson.encode(exactJson.decode(stored)), stored);
  }
  assertEquals(JSON.stringify(exactJson.decode(encoder.encode("-0"))), "-0");
  assertThrows(() => exactJson.decode(new Uint8Array([34, 255, 34])));
  assertThrows(() => exactJson.decode(encoder.encode("{")));
});
