/**
 * Remembers the statements of watches.
 *
 * @module
 */
import type { ChangeFilter } from "../../engine/change_log.ts";
import { selectChanges } from "./change_queries.ts";
import type { WholeValues } from "./small_values.ts";

/**
 * Remembers the statements of each filter. A watch uses one filter for as long as
 * it runs, and building a statement's text takes longer than reading a change.
 */
export class ChangeSelects {
  readonly #known = {
    forward: new WeakMap<ChangeFilter, Record<WholeValues, string>>(),
    back: new WeakMap<ChangeFilter, Record<WholeValues, string>>(),
  };

  /** The statements that read the changes of a filter, in one direction. */
  of(
    filter: ChangeFilter,
    direction: "forward" | "back",
  ): Record<WholeValues, string> {
    const known = this.#known[direction];
    let selects = known.get(filter);
    if (!selects) {
      const read = {
        kinds: filter.kinds?.length,
        range: filter.keys,
        previous: filter.previous ?? false,
        times: filter.times ?? false,
        reverse: direction === "back",
      };
      selects = {
        small: selectChanges({ ...read, values: "small" }),
        all: selectChanges({ ...read, values: "all" }),
      };
      known.set(filter, selects);
    }
    return selects;
  }
}
