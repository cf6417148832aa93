/**
 * What a storage works with, beside its connection.
 *
 * @module
 */
import type { Checkpointer } from "../connection/checkpoints.ts";
import type { Database } from "../connection/database.ts";
import type { KnownSchema } from "../format/known_schema.ts";
import type { VerifiedFile } from "../verification/file_checks.ts";

/** What may be done with the file. */
export interface SqliteAccess extends VerifiedFile {
  readonly schema: KnownSchema;
  /** Opens another connection, to read; absent if there can be none. */
  readonly openReader?: () => Database;
  /** Makes the checkpoints; absent if the file has no write-ahead log, or is only read. */
  readonly checkpointer?: Checkpointer;
}
