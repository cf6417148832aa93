/**
 * A store with a past, and its state at each moment.
 *
 * @module
 */
import type { Store } from "../contract/store.ts";
import { numberedKey, numberedKeys } from "./reading.ts";
import { everythingOf } from "./reads_of.ts";

/** The kinds that {@linkcode makePast} writes, and one that it does not write. */
export const KINDS = ["users", "groups", "none"];

/** The keys that {@linkcode makePast} writes. */
export const KEYS = [...numberedKeys(10), "a", "b"];

/** The state of a store at a revision. */
export interface Moment {
  readonly revision: number;
  readonly all: Record<string, unknown>;
}

/** Changes a store in every way, and returns its state after each change. */
export async function makePast(store: Store): Promise<Moment[]> {
  const moments: Moment[] = [];
  const steps: (() => Promise<{ revision: number }>)[] = [
    () => store.set("users", numberedKey(1), 1),
    () => store.set("users", numberedKey(1), { n: 11 }),
    () => store.setAll("users", KEYS.map((key) => [key, [key]] as const)),
    () => store.deleteAll("users", { start: "a" }),
    () => store.set("groups", "a", 1),
    async () => {
      const deleted = await store.delete("groups", "a");
      return { revision: deleted!.deleteRevision };
    },
    () => store.set("groups", "a", 2, { expireIn: 1_000_000 }),
    () =>
      store.atomic().delete("users", numberedKey(3)).set("users", "b", 1)
        .delete("groups", "a").set("groups", "b", 1).commit() as Promise<
          { revision: number }
        >,
    () => store.update("users", "b", (n) => (n as number) + 1),
    () => store.deleteAll("users"),
    () => store.set("users", numberedKey(1), "again"),
  ];
  for (const step of steps) {
    const { revision } = await step();
    moments.push({ revision, all: await everythingOf(store, KINDS, KEYS) });
  }
  return moments;
}
