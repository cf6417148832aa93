/**
 * The order of keys in every store: by UTF-8 bytes, which is the order of code
 * points. JavaScript orders strings by UTF-16 code units, which puts U+10000
 * and above before U+E000.
 *
 * @module
 */

/**
 * Compares two well-formed keys. The result is negative, zero or positive, as
 * for `sort`.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/**
 * The place of a code unit in the order of code points: surrogates come last.
 */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x10000 : unit;
}

/**
 * The least string after all strings with this prefix, or `undefined` if there
 * is none, as for `""` and for U+10FFFF repeated.
 */
export function prefixEnd(prefix: string): string | undefined {
  for (let head = prefix; head !== "";) {
    const isPair = head.charCodeAt(head.length - 1) >>> 10 === 0xdc00 >>> 10;
    const length = isPair ? 2 : 1;
    const last = head.codePointAt(head.length - length)!;
    head = head.slice(0, -length);
    if (last === 0x10ffff) continue;
    // All code points between are surrogates, which no string contains.
    return head + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/**
 * The index of the first item at or after `key`, in a list in key order,
 * beginning at an index.
 */
export function lowerBound(
  items: readonly { key: string }[],
  key: string,
  from = 0,
): number {
  let low = from;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(items[middle].key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Merges two lists that are in key order. If two keys are equal, the item of
 * `b` comes second.
 */
export function* mergeByKey<T extends { key: string }>(
  a: readonly T[],
  b: readonly T[],
): Generator<T> {
  let j = 0;
  for (const item of a) {
    while (j < b.length && compareKeys(b[j].key, item.key) < 0) yield b[j++];
    yield item;
  }
  while (j < b.length) yield b[j++];
}

/** How many items are sorted at once, without a pause. */
const SORT_RUN = 1024;

/** Sorts by key. It yields at each place where it may pause. */
export function* sortByKey<T extends { key: string }>(
  items: readonly T[],
): Generator<void, T[]> {
  let runs: T[][] = [];
  for (let i = 0; i < items.length; i += SORT_RUN) {
    const run = items.slice(i, i + SORT_RUN);
    runs.push(run.sort((a, b) => compareKeys(a.key, b.key)));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(yield* mergeInSteps(runs[i], runs[i + 1] ?? []));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergeInSteps<T extends { key: string }>(
  a: T[],
  b: T[],
): Generator<void, T[]> {
  const merged: T[] = [];
  for (const item of mergeByKey(a, b)) {
    merged.push(item);
    if (merged.length % SORT_RUN === 0) yield;
  }
  return merged;
}
