/**
 * The parts of the store's queries.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import { quoteIdentifier } from "../format/sql.ts";

export { msOf as ms, timeOf } from "../format/sql.ts";

/** The tables of a schema, by their full names. */
export interface Tables {
  readonly kv: string;
  readonly changes: string;
  readonly meta: string;
  /** The schema, as SQL. */
  readonly schema: string;
}

/** The tables of a schema. */
export function tablesOf(schema: string): Tables {
  const name = quoteIdentifier(schema);
  return {
    kv: `${name}.zestor_kv`,
    changes: `${name}.zestor_changes`,
    meta: `${name}.zestor_meta`,
    schema: name,
  };
}

/** The parameters of a statement, numbered as they are added. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Adds a value. Returns its placeholder as SQL. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** The condition that a key is in a range. */
export function inRange(
  { lower, upper }: KeyRange,
  parameters: Parameters,
  column = "key",
): string {
  const conditions: string[] = [];
  if (lower.key !== "" || !lower.inclusive) {
    conditions.push(
      `${column} ${lower.inclusive ? ">=" : ">"} ${
        parameters.add(lower.key)
      }::text`,
    );
  }
  if (upper) {
    conditions.push(
      `${column} ${upper.inclusive ? "<=" : "<"} ${
        parameters.add(upper.key)
      }::text`,
    );
  }
  return conditions.length > 0 ? conditions.join(" AND ") : "true";
}

/** The newest revision. */
export const headOf = ({ changes, meta }: Tables): string =>
  `coalesce((SELECT max(revision) FROM ${changes}), ${prunedOf({ meta })})`;

/** The newest revision that was pruned from the log. */
export const prunedOf = ({ meta }: Pick<Tables, "meta">): string =>
  `(SELECT value::bigint FROM ${meta} WHERE name = 'pruned')`;

/** The mark of a revision, also of the one after which the log begins. */
export const markOf = ({ changes, meta }: Tables, revision: string): string =>
  `coalesce((SELECT mark FROM ${changes} WHERE revision = ${revision}),
    (SELECT value::bigint FROM ${meta} WHERE name = 'mark'
      AND ${prunedOf({ meta })} = ${revision}))`;
