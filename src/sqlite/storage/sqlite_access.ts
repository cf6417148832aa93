/**
 * The parts that a storage works with, besides its connection.
 *
 * @module
 */
import type { Checkpointer } from "../connection/checkpoints.ts";
import type { Database } from "../connection/database.ts";
import type { KnownSchema } from "../format/known_schema.ts";
import type { VerifiedFile } from "../verification/file_checks.ts";

/** The permitted operations on the file. */
export interface SqliteAccess extends VerifiedFile {
  readonly schema: KnownSchema;
  /** Opens another connection to read. Absent if there can be none. */
  readonly openReader?: () => Database;
  /** Makes the checkpoints. Absent if the file has no write-ahead log, or is read-only. */
  readonly checkpointer?: Checkpointer;
}
