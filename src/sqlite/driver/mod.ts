/**
 * The driver port, for a store on an SQLite binding of your own: pass a
 * {@linkcode Driver} as the option `driver` of `openStore`. A driver can also
 * wrap {@linkcode builtinDriver}, for example to count statements.
 *
 * @module
 */
export { builtinDriver } from "./builtin.ts";
export {
  assertBindable,
  type Connection,
  type DatabaseLocation,
  type Driver,
  type Row,
  SqlError,
  type SqlFailure,
  type SqlValue,
  type Statement,
} from "./driver.ts";
