/**
 * The JSON codec, which is the default. It refuses values that JSON would
 * silently lose.
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
 * `JSON.stringify` drops or alters values that JSON cannot express. This codec
 * throws a `TypeError` instead, which names the place: for functions, symbols,
 * BigInts, `NaN` and the infinities, cycles, properties of arrays, and for
 * objects with content outside their properties (`Map`, `Set`, `Error`, typed
 * arrays, …). The codec `structured` keeps most of these.
 *
 * As in JavaScript, a property that is `undefined` is left out. `undefined` is
 * refused as the value itself, and in an array. An object's `toJSON` is used,
 * so a `Date` is stored and read as an ISO string. `-0` is kept.
 *
 * @example
 * ```ts
 * import { json } from "@zestor/store";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const bytes = json.encode({ theme: "dark" });
 * assertEquals(json.decode(bytes), { theme: "dark" });
 * assertEquals(json.encode({ theme: "dark", font: undefined }), bytes);
 * assertThrows(() => json.encode({ theme: NaN }), TypeError, "NaN at theme");
 * ```
 */
export const json: Codec = {
  name: "json",
  givesOwnBytes: true,
  encode(value: unknown): Uint8Array {
    return encoder.encode(stringifyJson(value));
  },
  decode(bytes: Uint8Array): unknown {
    const text = decoder.decode(bytes);
    // The strict decoder takes four times as long, so it runs only if the fast
    // result is in doubt.
    if (text.includes("\ufffd")) strictDecoder.decode(bytes);
    return JSON.parse(text);
  },
};

/** A value as JSON text, or a `TypeError`, as from the codec. `indent` is in spaces. */
export function stringifyJson(value: unknown, indent?: number): string {
  return JSON.stringify(plainOf(value), null, indent);
}

/** The place of a part in a value. */
interface Place {
  readonly parent: Place | undefined;
  readonly key: string | number;
  readonly depth: number;
}

const ROOT: Place = { parent: undefined, key: "", depth: 0 };

/** The objects that contain a part. Absent while cycles are not searched. */
type Ancestors = Set<object> | undefined;

/** Cycles are searched only in values with more levels than this, because the search takes time. */
const DEEP = 32;
const TOO_DEEP = Symbol("too deep");

function plainOf(value: unknown): unknown {
  try {
    return toPlain(value, ROOT, undefined);
  } catch (error) {
    if (error !== TOO_DEEP) throw error;
    return toPlain(value, ROOT, new Set());
  }
}

/**
 * A plain copy of a value, with nothing that JSON would lose. It reads each
 * part once, because a getter, a `toJSON` or a Proxy may return another value
 * at the next read.
 */
function toPlain(value: unknown, at: Place, ancestors: Ancestors): unknown {
  if (!isObject(value)) return toPlainScalar(value, at);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== "function") return copyOf(value, at, ancestors);
  // JSON turns an invalid Date into null, which would be read as null.
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw refusal("an invalid Date", at);
  }
  // JSON calls it once, and does not call it on its result.
  const json = toJSON.call(value, String(at.key));
  return isObject(json) ? copyOf(json, at, ancestors) : toPlainScalar(json, at);
}

/** Whether JSON can express a value that is not an object. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    default:
      return value === null;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function toPlainScalar(value: unknown, at: Place): unknown {
  if (isPlain(value)) return value;
  switch (typeof value) {
    case "number":
      if (Object.is(value, -0)) return NEGATIVE_ZERO;
      throw refusal(String(value), at);
    case "undefined":
      throw refusal("undefined", at);
    case "bigint":
      throw refusal("a BigInt", at);
    default:
      throw refusal(`a ${typeof value}`, at);
  }
}

// `JSON.stringify` turns -0 into 0, but keeps its raw text.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };
const NEGATIVE_ZERO = rawJSON("-0");

function copyOf(value: object, at: Place, ancestors: Ancestors): unknown {
  if (ancestors === undefined && at.depth > DEEP) throw TOO_DEEP;
  if (ancestors?.has(value)) throw refusal("a cycle", at);
  ancestors?.add(value);
  const copy = Array.isArray(value)
    ? copyOfArray(value, at, ancestors)
    : copyOfObject(value, at, ancestors);
  ancestors?.delete(value);
  return copy;
}

function placeIn(parent: Place, key: string | number): Place {
  return { parent, key, depth: parent.depth + 1 };
}

function copyOfArray(
  value: readonly unknown[],
  at: Place,
  ancestors: Ancestors,
): unknown[] {
  const copy: unknown[] = [];
  // By index, because a hole in a sparse array would become null.
  for (let i = 0; i < value.length; i++) {
    const part = value[i];
    copy.push(
      isPlain(part) ? part : toPlain(part, placeIn(at, i), ancestors),
    );
  }
  if (Object.keys(value).length > copy.length) {
    throw refusal("an array with named properties", at);
  }
  return copy;
}

function copyOfObject(
  value: object,
  at: Place,
  ancestors: Ancestors,
): object {
  if (isContainer(value)) throw refusal(classOf(value), at);
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw refusal("a symbol as a property's name", at);
  }
  // An own property: assigning to `__proto__` would set the prototype.
  const copy: Record<string, unknown> = { ...value };
  const names = Object.keys(copy);
  if (names.length === 0 && !isBare(value)) throw refusal(classOf(value), at);
  for (const name of names) {
    const part = copy[name];
    // JSON leaves out a property that is `undefined`.
    if (part === undefined || isPlain(part)) continue;
    copy[name] = toPlain(part, placeIn(at, name), ancestors);
  }
  return copy;
}

/** Whether an object has no internal slots or private fields, which JSON does not see. */
function isBare(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether an object has internal content. It may have properties, too, as errors often do. */
function isContainer(value: object): boolean {
  return !isBare(value) && (ArrayBuffer.isView(value) ||
    CONTAINERS.some((container) => value instanceof container));
}

// `JSON.stringify` converts the last three to primitives.
const CONTAINERS = [Map, Set, Error, RegExp, Promise, String, Number, Boolean];

function refusal(what: string, at: Place): TypeError {
  let path = "";
  for (let { parent, key } = at; parent; { parent, key } = parent) {
    path = (typeof key === "number" ? `[${key}]` : `.${key}`) + path;
  }
  return unrepresentable("JSON", what, path);
}
