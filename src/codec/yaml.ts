/**
 * The YAML codec: values that a person can read, and edit, in the file.
 *
 * It keeps a value exactly or refuses it: what it has encoded, it decodes to an
 * equal value.
 *
 * @module
 */
import { parse, stringify } from "@std/yaml";
import type { Codec } from "./codec.ts";
import { unrepresentable } from "./unrepresentable.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Levels of nesting. Common parsers stop at 100, and count scalars and keys. */
const MAX_DEPTH = 98;

/**
 * Anchors off: they would make the text of equal values differ by which of
 * their parts are the same object. Lines are not folded, to keep text as it is.
 */
const STYLE = { useAnchors: false, lineWidth: -1 };

/**
 * Stores values as YAML text in UTF-8.
 *
 * A value consists of plain objects, arrays, strings, booleans, numbers (`NaN`,
 * the infinities and `-0` included), `null` and `Date`s from the year 100 to
 * 9999. Of anything else YAML would drop a part, so this codec throws
 * a `TypeError` that names the place: `undefined`, functions, symbols, BigInts,
 * `Map`, `Set`, typed arrays, instances of classes, cycles, holes in arrays.
 * Leave a property out rather than setting it to `undefined`.
 *
 * Text by another hand may be any single YAML document. It is decoded as data
 * only: there is no tag that makes a function, or an object of any class but
 * `Date` and, for `!!binary`, `Uint8Array`.
 *
 * @example
 * ```ts
 * import { yaml } from "@zestor/store/yaml";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const bytes = yaml.encode({ theme: "dark", beta: ["search"] });
 * assertEquals(
 *   new TextDecoder().decode(bytes),
 *   "theme: dark\nbeta:\n  - search\n",
 * );
 * assertEquals(yaml.decode(bytes), { theme: "dark", beta: ["search"] });
 * assertThrows(() => yaml.encode({ theme: undefined }), TypeError, "theme");
 * ```
 */
export const yaml: Codec = {
  name: "yaml",
  encode(value: unknown): Uint8Array {
    assertLossless(value, "", []);
    return encoder.encode(toText(value));
  },
  decode(bytes: Uint8Array): unknown {
    return parse(decoder.decode(bytes));
  },
};

/**
 * The text, with two things avoided that the library misprints where nothing is
 * indented: a string that begins with white space, and "..." at the beginning
 * of a line, where it ends the document.
 */
function toText(value: unknown): string {
  if (typeof value === "string" && /^(\s|\.\.\.)/.test(value)) {
    return `${JSON.stringify(value)}\n`; // JSON strings are YAML too.
  }
  const text = stringify(value, STYLE);
  return /^\.\.\./m.test(text) ? indented(text) : text;
}

function indented(text: string): string {
  return text.split("\n").map((line) => line && ` ${line}`).join("\n");
}

function assertLossless(
  value: unknown,
  path: string,
  ancestors: object[],
): void {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return;
    case "object":
      return value === null
        ? undefined
        : assertLosslessObject(value, path, ancestors);
    default:
      throw unrepresentable(
        "YAML",
        value === undefined ? "undefined" : `a ${typeof value}`,
        path,
      );
  }
}

function assertLosslessObject(
  value: object,
  path: string,
  ancestors: object[],
): void {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) {
    return assertLosslessDate(value as Date, path);
  }
  const array = Array.isArray(value) && prototype === Array.prototype;
  if (!array && prototype !== Object.prototype && prototype !== null) {
    const name = prototype.constructor?.name || "class instance";
    throw unrepresentable("YAML", `a ${name}`, path);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw unrepresentable("YAML", "a symbol as a property's name", path);
  }
  if (ancestors.includes(value)) throw unrepresentable("YAML", "a cycle", path);
  if (ancestors.length === MAX_DEPTH) {
    throw unrepresentable("YAML", `more than ${MAX_DEPTH} levels`, "");
  }
  ancestors.push(value);
  if (array) assertLosslessItems(value, path, ancestors);
  else assertLosslessProperties(value, path, ancestors);
  ancestors.pop();
}

function assertLosslessProperties(
  value: object,
  path: string,
  ancestors: object[],
): void {
  for (const [key, part] of Object.entries(value)) {
    assertLossless(part, `${path}.${key}`, ancestors);
  }
}

function assertLosslessItems(
  value: unknown[],
  path: string,
  ancestors: object[],
): void {
  // By index, to come upon the holes of a sparse array.
  for (let i = 0; i < value.length; i++) {
    assertLossless(value[i], `${path}[${i}]`, ancestors);
  }
  if (Object.keys(value).length > value.length) {
    throw unrepresentable("YAML", "an array with named properties", path);
  }
}

function assertLosslessDate(date: Date, path: string): void {
  const year = date.getUTCFullYear();
  if (Number.isNaN(year)) {
    throw unrepresentable("YAML", "an invalid Date", path);
  }
  // A year is written with four digits, and one below 100 would be read as 19xx.
  if (year < 100 || year > 9999) {
    throw unrepresentable("YAML", `a Date in the year ${year}`, path);
  }
}
