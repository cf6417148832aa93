/**
 * What a value consists of. Several parts may be the same object, and an object
 * may contain itself: each object is looked at once, so that time is in
 * proportion to the value.
 *
 * @module
 */

/** A value and each part of it; an object comes before its parts, and only once. */
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

/** The objects that come up more than once in a value. */
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
 * How many characters a value has, about, if an object is written out wherever
 * it comes up; infinitely many if it contains itself.
 */
export function expandedSize(value: unknown): number {
  const sizes = new Map<object, number>();
  const sizeOf = (part: unknown): number => {
    if (typeof part === "string") return part.length + 1;
    if (!isObject(part)) return 1;
    let size = sizes.get(part);
    if (size !== undefined) return size;
    // If it comes up again before its size is known, it contains itself.
    sizes.set(part, Infinity);
    size = ownSize(part);
    for (const inner of innerParts(part)) size += sizeOf(inner);
    sizes.set(part, size);
    return size;
  };
  return sizeOf(value);
}

/** How large a value may become by what comes up again, in characters. */
const MOST_EXPANDED = 10_000_000;

/** Whether a text that has no references would be endless for a value, or nearly so: objects come up again and again in it. */
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

/** The parts of an object, without theirs. */
function innerParts(value: object): unknown[] {
  if (ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return [value.cause];
  // A string's object has its characters as properties.
  if (value instanceof String) return [String(value)];
  return Object.values(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
