/**
 * The JSON codec, the default. It refuses what JSON would lose in silence.
 *
 * @module
 */
import type { Codec } from "./codec.ts";
import { unrepresentable } from "./unrepresentable.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Stores values as JSON text in UTF-8.
 *
 * `JSON.stringify` drops or alters what JSON has no form for. This codec throws
 * a `TypeError` that names the place instead: for `undefined`, functions,
 * symbols, BigInts, `NaN` and the infinities, cycles, and for objects whose
 * content is not in their properties (`Map`, `Set`, typed arrays, …). Leave
 * a property out rather than setting it to `undefined`. An object's `toJSON`
 * is honoured, so a `Date` is stored as, and read back as, an ISO string.
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
  encode(value: unknown): Uint8Array {
    // First, since it ends on cycles, which the walk below would not.
    const text = JSON.stringify(value);
    assertLossless(value, "");
    return encoder.encode(text);
  },
  decode(bytes: Uint8Array): unknown {
    return JSON.parse(decoder.decode(bytes));
  },
};

function assertLossless(value: unknown, path: string): void {
  assertRepresentable(asSerialized(value, path), path);
}

/** What JSON takes for a value: it calls `toJSON` once, and not on what that gives. */
function asSerialized(value: unknown, path: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (!("toJSON" in value) || typeof value.toJSON !== "function") return value;
  // An invalid Date gives null, and would come back as null.
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw unrepresentable("JSON", "an invalid Date", path);
  }
  return value.toJSON();
}

function assertRepresentable(value: unknown, path: string): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value)) return;
      throw unrepresentable("JSON", String(value), path);
    case "object":
      return value === null ? undefined : assertLosslessParts(value, path);
    default:
      throw unrepresentable(
        "JSON",
        value === undefined ? "undefined" : `a ${typeof value}`,
        path,
      );
  }
}

function assertLosslessParts(value: object, path: string): void {
  if (Array.isArray(value)) {
    // By index: a hole in a sparse array would become null.
    for (let i = 0; i < value.length; i++) {
      assertLossless(value[i], `${path}[${i}]`);
    }
    return;
  }
  if (hasHiddenContent(value)) {
    throw unrepresentable("JSON", `a ${value.constructor.name}`, path);
  }
  for (const key in value) {
    if (Object.hasOwn(value, key)) {
      assertLossless((value as Record<string, unknown>)[key], `${path}.${key}`);
    }
  }
}

/** Whether an object's content is where JSON does not look: in internal slots or private fields. */
function hasHiddenContent(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return false;
  return ArrayBuffer.isView(value) || Object.keys(value).length === 0;
}
