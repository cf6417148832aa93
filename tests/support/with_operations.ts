/**
 * A store that differs from another in some operations.
 *
 * @module
 */
import type { Store } from "../../mod.ts";

/** The store, with some of its operations replaced. */
export function withOperations(
  store: Store,
  operations: Partial<Store>,
): Store {
  return new Proxy(store, {
    get(_, name) {
      const owner = name in operations ? operations : store;
      const operation = Reflect.get(owner, name);
      return typeof operation === "function"
        ? operation.bind(owner)
        : operation;
    },
  });
}
