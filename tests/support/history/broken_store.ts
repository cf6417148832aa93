/**
 * A store with a fault, to see that the checker of histories finds it.
 *
 * @module
 */
import type { Random } from "../random.ts";
import type { HistoryStore } from "./perform.ts";

/** What the store does wrong, now and then. */
export type Fault = "answers from a stale cache" | "ignores ifVersion";

/** How often, of the calls that the fault can strike. */
const STRIKES = 0.1;

/** The same store with a fault. */
export function withFault(
  store: HistoryStore,
  fault: Fault,
  random: Random,
): HistoryStore {
  const cache = new Map<string, string | undefined>();
  const faulty: Partial<HistoryStore> = fault === "ignores ifVersion"
    ? {
      set: (kind, key, value, options) =>
        store.set(kind, key, value, random.chance(STRIKES) ? {} : options),
    }
    : {
      async get(kind, key) {
        const name = `${kind}/${key}`;
        if (cache.has(name) && random.chance(STRIKES)) return cache.get(name);
        const value = await store.get(kind, key);
        cache.set(name, value);
        return value;
      },
    };
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(faulty, name) ?? Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}
