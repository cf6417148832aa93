/**
 * Freezes values that several readers share.
 *
 * @module
 */

/**
 * Freezes a value and all its parts, if JavaScript allows it: plain objects,
 * arrays, and the values inside a `Map` or a `Set`. JavaScript cannot freeze
 * bytes, the entries of a `Map` or a `Set`, or the time of a `Date`. Instances
 * of classes are not frozen, because they may need to change.
 *
 * It works for cycles, and for any depth.
 */
export function freezeDeep<T>(value: T): T {
  // A recursive function would run out of stack for deep values.
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
      // An array may have holes, and be too long to visit every index.
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
