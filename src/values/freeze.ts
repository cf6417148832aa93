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
  const rest: object[] = [];
  const freeze = (part: unknown) => {
    if (typeof part === "object" && part !== null && !Object.isFrozen(part)) {
      rest.push(part);
    }
  };
  freeze(value);
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (next instanceof Map) {
      for (const [key, value] of Object.freeze(next)) {
        freeze(key);
        freeze(value);
      }
    } else if (next instanceof Set) {
      for (const member of Object.freeze(next)) freeze(member);
    } else if (isPlain(next)) {
      // An array may have holes, and be longer than anybody could visit.
      for (const part of Object.values(Object.freeze(next))) freeze(part);
    }
  }
  return value;
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
