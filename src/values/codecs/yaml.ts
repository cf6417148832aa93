/**
 * The YAML codec, for values that people read and edit in the file.
 *
 * It keeps a value exactly, or refuses it: the decoded value equals the encoded
 * one.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import type { Codec } from "./codec.ts";
import { classOf, unrepresentable } from "./unrepresentable.ts";
import { parseYaml } from "./yaml_text.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The deepest nesting. Common parsers stop at 100 levels, and count scalars and keys as levels. */
const MAX_DEPTH = 98;

/**
 * No anchors: with them, the text would depend on which parts of a value are
 * the same object. Long lines are not folded, so that text stays unchanged.
 */
const STYLE = { useAnchors: false, lineWidth: -1 };

/**
 * Stores values as YAML text in UTF-8.
 *
 * A value consists of plain objects, arrays, strings, booleans, numbers (also
 * `NaN`, the infinities and `-0`), `null` and `Date`s from the year 100 to
 * 9999. YAML would drop a part of any other value, so this codec throws a
 * `TypeError` that names the place: for functions, symbols, BigInts, `Map`,
 * `Set`, typed arrays, instances of classes, cycles, and holes in arrays. As in
 * JSON, a property that is `undefined` is left out, and `undefined` is refused
 * as the value itself, and in an array.
 *
 * Text of other programs may be any single YAML document. It is decoded as data
 * only: no tag makes a function, or an object of a class except `Date` and, for
 * `!!binary`, `Uint8Array`. The time for it is proportional to the text. So it
 * is refused if aliases make the value endless, or larger than 10 million
 * characters. It is also refused if merge keys copy more than 100 000
 * properties, or, in a longer text, more than its length.
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
 * assertThrows(() => yaml.encode({ beta: [undefined] }), TypeError, "beta[0]");
 *
 * // A property that is undefined is left out.
 * const same = yaml.encode({ theme: "dark", beta: ["search"], font: undefined });
 * assertEquals(same, bytes);
 * ```
 */
export const yaml: Codec = {
  name: "yaml",
  givesOwnBytes: true,
  encode(value: unknown): Uint8Array {
    return encoder.encode(toText(toPlain(value, "", [])));
  },
  decode(bytes: Uint8Array): unknown {
    const text = decoder.decode(bytes);
    try {
      return parseYaml(text);
    } catch (cause) {
      // The parser calls itself at each level.
      if (!(cause instanceof RangeError)) throw cause;
      throw new SyntaxError("Cannot decode: it has too many levels", { cause });
    }
  },
};

/**
 * The text, without two forms that the library writes wrongly if they are not
 * indented: a string that begins with white space, and "..." at the beginning
 * of a line, which ends the document.
 */
function toText(value: unknown): string {
  if (typeof value === "string" && /^(\s|\.\.\.)/.test(value)) {
    return `${JSON.stringify(value)}\n`; // A JSON string is also YAML.
  }
  const text = stringify(value, STYLE);
  return /^\.\.\./m.test(text) ? indented(text) : text;
}

function indented(text: string): string {
  return text.split("\n").map((line) => line && ` ${line}`).join("\n");
}

/**
 * A copy that YAML can keep. It reads each part once, because a getter or a
 * Proxy may return another value at the next read.
 */
function toPlain(value: unknown, path: string, ancestors: object[]): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return value;
    case "object":
      return value === null ? null : toPlainObject(value, path, ancestors);
    default:
      throw unrepresentable(
        "YAML",
        value === undefined ? "undefined" : `a ${typeof value}`,
        path,
      );
  }
}

function toPlainObject(
  value: object,
  path: string,
  ancestors: object[],
): object {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) return toPlainDate(value as Date, path);
  const array = Array.isArray(value) && prototype === Array.prototype;
  if (!array && prototype !== Object.prototype && prototype !== null) {
    throw unrepresentable("YAML", classOf(value), path);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw unrepresentable("YAML", "a symbol as a property's name", path);
  }
  if (ancestors.includes(value)) throw unrepresentable("YAML", "a cycle", path);
  if (ancestors.length === MAX_DEPTH) {
    throw unrepresentable("YAML", `more than ${MAX_DEPTH} levels`, "");
  }
  ancestors.push(value);
  const copy = array
    ? toPlainItems(value, path, ancestors)
    : toPlainProperties(value, path, ancestors);
  ancestors.pop();
  return copy;
}

function toPlainProperties(
  value: object,
  path: string,
  ancestors: object[],
): object {
  const entries = Object.entries(value).filter(([, part]) =>
    part !== undefined
  );
  return Object.fromEntries(
    entries.map(([key, part]) => [
      key,
      toPlain(part, `${path}.${key}`, ancestors),
    ]),
  );
}

function toPlainItems(
  value: readonly unknown[],
  path: string,
  ancestors: object[],
): unknown[] {
  const copy: unknown[] = [];
  // By index, to find the holes of a sparse array.
  for (let i = 0; i < value.length; i++) {
    copy.push(toPlain(value[i], `${path}[${i}]`, ancestors));
  }
  if (Object.keys(value).length > copy.length) {
    throw unrepresentable("YAML", "an array with named properties", path);
  }
  return copy;
}

function toPlainDate(date: Date, path: string): Date {
  const year = date.getUTCFullYear();
  if (Number.isNaN(year)) {
    throw unrepresentable("YAML", "an invalid Date", path);
  }
  // A year is written with four digits, and a year below 100 would be read as
  // 19xx.
  if (year < 100 || year > 9999) {
    throw unrepresentable("YAML", `a Date in the year ${year}`, path);
  }
  return new Date(date);
}
