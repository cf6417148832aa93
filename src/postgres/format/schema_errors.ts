/**
 * The errors for schemas that cannot be opened.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { StoreOpenError, StoreReadOnlyError } from "../../contract/errors.ts";
import { codeOf } from "../connection/failure.ts";

const DENIED = "42501";

/** The rights that a role needs to write. */
export const GRANTS_TO_WRITE =
  "EXECUTE on zestor_write, zestor_write_one and zestor_tidy, and INSERT, UPDATE and DELETE on zestor_kv,";

/** The server refused to show the schema, or to write to `zestor_meta`. */
export function lacksRights(
  error: unknown,
  schema: string,
  role: string,
): StoreOpenError | undefined {
  if (codeOf(error) !== DENIED) return undefined;
  return mayNotRead(schema, role, error);
}

/** The role may not read the tables. */
export function mayNotRead(
  schema: string,
  role: string,
  cause?: unknown,
): StoreOpenError {
  const reason = cause === undefined ? "" : ` (${reasonOf(cause)})`;
  return new StoreOpenError(
    `Cannot open store: the role "${role}" lacks a right${reason}; grant it USAGE on the schema "${schema}" and SELECT on zestor_kv, zestor_changes and zestor_meta, and if it writes, INSERT on zestor_meta`,
    { cause },
  );
}

/** Codes of the errors that tables of another shape cause. */
const OTHER_SHAPES = new Set([
  "42703", // There is no such column.
  "42P07", // There is a table or index of this name.
  "42710", // There is another object of this name.
  "42723", // There is a function of this name.
  "42809", // It is another kind of object.
  "42P13", // The function returns something else.
]);

/** The objects with the names of a store's tables are not a store. */
export function notOurs(
  reason: string,
  schema: string,
  cause?: unknown,
): StoreOpenError {
  return new StoreOpenError(
    `Cannot open store: the schema "${schema}" has other objects with the names of a store's objects (${reason}); use another schema, or rename these objects`,
    { cause },
  );
}

/** The server says that a table or function has another shape. */
export function shapeFailed(
  error: unknown,
  schema: string,
): StoreOpenError | undefined {
  if (!OTHER_SHAPES.has(codeOf(error) ?? "")) return undefined;
  return notOurs(reasonOf(error), schema, error);
}

/** The error if a schema could not be created or upgraded. */
export function makingFailed(
  error: unknown,
  schema: string,
  isNew: boolean,
): unknown {
  if (codeOf(error) !== DENIED) return shapeFailed(error, schema) ?? error;
  const reason = reasonOf(error);
  const grant = isNew
    ? "grant CREATE on the database"
    : /^must be owner/.test(reason)
    ? "let a superuser give the role all tables and functions of the schema"
    : `grant USAGE and CREATE on the schema "${schema}"`;
  return new StoreReadOnlyError(
    `Cannot open store: the role may not create the objects that the schema "${schema}" needs (${reason}); open it once with a role that may create it, or ${grant}`,
    { cause: error },
  );
}
