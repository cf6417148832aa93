/**
 * Stands in for `jsr:@db/sqlite` where JSR is not reachable: the types, so that
 * the FFI driver can be checked, and no binding, so that loading it fails.
 *
 * @module
 */

/** What a value may be bound from. */
export type BindValue =
  | number
  | string
  | symbol
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | BindValue[]
  | { [key: string]: BindValue };

/** All values of a statement, by position or by name. */
export type BindParameters = BindValue[] | Record<string, BindValue>;

/** The values as the last arguments of a call. */
export type RestBindParameters = BindValue[] | [BindParameters];

/** How a database is opened. */
export interface DatabaseOpenOptions {
  readonly?: boolean;
  create?: boolean;
  flags?: number;
  memory?: boolean;
  int64?: boolean;
  unsafeConcurrency?: boolean;
  enableLoadExtension?: boolean;
  parseJson?: boolean;
}

/** A connection. */
export declare class Database {
  constructor(path: string | URL, options?: DatabaseOpenOptions);
  int64: boolean;
  parseJson: boolean;
  unsafeConcurrency: boolean;
  get open(): boolean;
  get unsafeHandle(): Deno.PointerValue;
  get path(): string;
  get changes(): number;
  get totalChanges(): number;
  get lastInsertRowId(): number;
  get autocommit(): boolean;
  get inTransaction(): boolean;
  prepare<T extends object = Record<string, unknown>>(
    sql: string,
  ): Statement<T>;
  exec(sql: string, ...params: RestBindParameters): number;
  run(sql: string, ...params: RestBindParameters): number;
  close(): void;
}

/** A prepared statement. */
export declare class Statement<Row extends object = Record<string, unknown>> {
  constructor(db: Database, sql: string);
  int64?: boolean;
  parseJson?: boolean;
  db: Database;
  get unsafeHandle(): Deno.PointerValue;
  get sql(): string;
  get expandedSql(): string;
  get readonly(): boolean;
  get bindParameterCount(): number;
  bindParameterName(i: number): string;
  bindParameterIndex(name: string): number;
  bind(...params: RestBindParameters): this;
  run(...params: RestBindParameters): number;
  get<T extends object = Row>(...params: RestBindParameters): T | undefined;
  all<T extends object = Row>(...params: RestBindParameters): T[];
  value<T extends unknown[]>(...params: RestBindParameters): T | undefined;
  values<T extends unknown[] = unknown[]>(...params: RestBindParameters): T[];
  iter(...params: RestBindParameters): IterableIterator<unknown>;
  columnNames(): string[];
  finalize(): void;
  [Symbol.iterator](): IterableIterator<unknown>;
  [Symbol.dispose](): void;
}

/** The build of the native library. */
export declare const SQLITE_SOURCEID: string;

throw new Error("Cannot load @db/sqlite: JSR is not reachable");
