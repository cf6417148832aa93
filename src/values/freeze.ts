/**
 * Freezing of values that several readers share.
 *
 * @module
 */

/**
 * Freezes a value, and everything in it, as far as that can be: objects without
 * a class, arrays, and what the entries of a `Map` and a `Set` hold. JavaScript
 * cannot freeze bytes, nor the entries of a `Map` and a `Set`, nor the time of
 * a `Date`. Instances of a class stay as they are: they may need to change.
 *
 * It takes cycles, and any depth.
 */
export function freezeDeep<T>(value: T): T {
  // A recursive function has no stack for deep values.
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Object.isFrozen(next)) continue;
    if (next instanceof Map) {
      Object.freeze(next);
      for (const [key, value] of next) rest.push(key, value);
    } else if (next instanceof Set) {
      Object.freeze(next);
      for (const member of next) rest.push(member);
    } else if (isPlain(next)) {
      Object.freeze(next);
      for (const name in next) {
        rest.push((next as Record<string, unknown>)[name]);
      }
    }
  }
  return value;
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
