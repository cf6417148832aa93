/**
 * The parts of a value. Several parts may be the same object, and an object may
 * contain itself. Each object is visited once, so the time is proportional to
 * the value.
 *
 * @module
 */

/** A value and each of its parts. An object comes before its parts, and only once. */
export function* partsOf(value: unknown): Generator<unknown, void> {
  const seen = new Set<object>();
  const rest = [value];
  while (rest.length > 0) {
    const part = rest.pop();
    if (!isObject(part)) yield part;
    else if (!seen.has(part)) {
      seen.add(part);
      yield part;
      for (const inner of innerParts(part).reverse()) rest.push(inner);
    }
  }
}

/** The objects that occur more than once in a value. */
export function repeatedObjects(value: unknown): Set<object> {
  const repeated = new Set<object>();
  const seen = new Set<object>();
  const meet = (part: unknown) => {
    if (!isObject(part)) return;
    if (seen.has(part)) repeated.add(part);
    seen.add(part);
  };
  meet(value);
  for (const part of partsOf(value)) {
    if (isObject(part)) innerParts(part).forEach(meet);
  }
  return repeated;
}

/**
 * The approximate number of characters of a value if each occurrence of an
 * object is written out; `Infinity` if an object contains itself.
 */
export function expandedSize(value: unknown): number {
  const sizes = new Map<object, number>();
  const sizeOf = (part: unknown): number => {
    if (typeof part === "string") return part.length + 1;
    if (!isObject(part)) return 1;
    let size = sizes.get(part);
    if (size !== undefined) return size;
    // If the object occurs again before its size is known, it contains itself.
    sizes.set(part, Infinity);
    size = ownSize(part);
    for (const inner of innerParts(part)) size += sizeOf(inner);
    sizes.set(part, size);
    return size;
  };
  return sizeOf(value);
}

/** The largest size of a value in which objects repeat, in characters. */
const MOST_EXPANDED = 10_000_000;

/**
 * Whether the text of a value, without references, would be endless or far too
 * long because objects repeat in it.
 */
export function multipliesWithoutEnd(value: unknown): boolean {
  return expandedSize(value) > MOST_EXPANDED && repeatedObjects(value).size > 0;
}

/** The size of an object without its parts. */
function ownSize(value: object): number {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return 1 + value.byteLength;
  }
  if (Array.isArray(value)) return 1;
  return Object.keys(value).reduce((size, name) => size + name.length, 1);
}

/** The parts of an object, without the parts of these. */
function innerParts(value: object): unknown[] {
  if (ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return [value.cause];
  // The object of a string has its characters as properties.
  if (value instanceof String) return [String(value)];
  return Object.values(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
