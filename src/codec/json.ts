/**
 * The JSON codec, the default. It refuses what JSON would lose in silence.
 *
 * @module
 */
import type { Codec } from "./codec.ts";
import { classOf, unrepresentable } from "./unrepresentable.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Stores values as JSON text in UTF-8.
 *
 * `JSON.stringify` drops or alters what JSON has no form for. This codec throws
 * a `TypeError` that names the place instead: for `undefined`, functions,
 * symbols, BigInts, `NaN` and the infinities, cycles, properties of arrays, and
 * for objects whose content is not in their properties (`Map`, `Set`, `Error`,
 * typed arrays, …). Leave a property out rather than setting it to `undefined`.
 * An object's `toJSON` is honoured, so a `Date` is stored as, and read back as,
 * an ISO string. `-0` is kept.
 *
 * @example
 * ```ts
 * import { json } from "@zestor/store";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const bytes = json.encode({ theme: "dark" });
 * assertEquals(json.decode(bytes), { theme: "dark" });
 * assertThrows(() => json.encode({ theme: undefined }), TypeError, "theme");
 * ```
 */
export const json: Codec = {
  name: "json",
  givesOwnBytes: true,
  encode(value: unknown): Uint8Array {
    const plain = toPlain(value, { parent: undefined, key: "" }, new Set());
    return encoder.encode(JSON.stringify(plain));
  },
  decode(bytes: Uint8Array): unknown {
    const text = decoder.decode(bytes);
    // The strict decoder takes four times as long, and is asked where it matters.
    if (text.includes("\ufffd")) strictDecoder.decode(bytes);
    return JSON.parse(text);
  },
};

/** Where a part of a value is. */
interface Place {
  readonly parent: Place | undefined;
  readonly key: string | number;
}

/**
 * What JSON takes for a value, with nothing in it that JSON would lose. Each
 * part is read once: a getter, a `toJSON` or a Proxy may give another the next
 * time.
 */
function toPlain(value: unknown, at: Place, ancestors: Set<object>): unknown {
  if (!isObject(value)) return toPlainScalar(value, at);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== "function") return copyOf(value, at, ancestors);
  // An invalid Date gives null, and would come back as null.
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw refusal("an invalid Date", at);
  }
  // JSON calls it once, and not on what it gives.
  const json = toJSON.call(value, String(at.key));
  return isObject(json) ? copyOf(json, at, ancestors) : toPlainScalar(json, at);
}

/** The same of a part; of text, which most parts are, no place is noted. */
function toPlainPart(
  part: unknown,
  parent: Place,
  key: string | number,
  ancestors: Set<object>,
): unknown {
  if (typeof part === "string") return part;
  return toPlain(part, { parent, key }, ancestors);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function toPlainScalar(value: unknown, at: Place): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "object":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw refusal(String(value), at);
      return Object.is(value, -0) ? NEGATIVE_ZERO : value;
    case "undefined":
      throw refusal("undefined", at);
    case "bigint":
      throw refusal("a BigInt", at);
    default:
      throw refusal(`a ${typeof value}`, at);
  }
}

// Of -0 `JSON.stringify` makes 0; not of its text.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };
const NEGATIVE_ZERO = rawJSON("-0");

function copyOf(value: object, at: Place, ancestors: Set<object>): unknown {
  if (ancestors.has(value)) throw refusal("a cycle", at);
  ancestors.add(value);
  const copy = Array.isArray(value)
    ? copyOfArray(value, at, ancestors)
    : copyOfObject(value, at, ancestors);
  ancestors.delete(value);
  return copy;
}

function copyOfArray(
  value: readonly unknown[],
  at: Place,
  ancestors: Set<object>,
): unknown[] {
  const copy: unknown[] = [];
  // By index: a hole in a sparse array would become null.
  for (let i = 0; i < value.length; i++) {
    copy.push(toPlainPart(value[i], at, i, ancestors));
  }
  if (Object.keys(value).length > copy.length) {
    throw refusal("an array with named properties", at);
  }
  return copy;
}

function copyOfObject(
  value: object,
  at: Place,
  ancestors: Set<object>,
): object {
  const names = Object.keys(value);
  if (hasHiddenContent(value, names)) throw refusal(classOf(value), at);
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw refusal("a symbol as a property's name", at);
  }
  const copy: Record<string, unknown> = {};
  for (const name of names) {
    const part = (value as Record<string, unknown>)[name];
    const plain = toPlainPart(part, at, name, ancestors);
    if (name === "__proto__") addOwn(copy, name, plain);
    else copy[name] = plain;
  }
  return copy;
}

/** Not by assignment, which would set the prototype. */
function addOwn(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** Whether an object's content is where JSON does not look: in internal slots or private fields. */
function hasHiddenContent(value: object, names: readonly string[]): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return false;
  return names.length === 0 || ArrayBuffer.isView(value) ||
    CONTAINERS.some((container) => value instanceof container);
}

// They may have properties besides, as errors often do. `JSON.stringify` makes
// primitives of the last three.
const CONTAINERS = [Map, Set, Error, RegExp, Promise, String, Number, Boolean];

function refusal(what: string, at: Place): TypeError {
  let path = "";
  for (let { parent, key } = at; parent; { parent, key } = parent) {
    path = (typeof key === "number" ? `[${key}]` : `.${key}`) + path;
  }
  return unrepresentable("JSON", what, path);
}
