/**
 * The data of a file for a verification, all at one moment.
 *
 * @module
 */
import type {
  FoundChange,
  FoundEntry,
  Moment,
  OwnVerification,
  Verifiable,
} from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import { FileChecks, type VerifiedFile } from "./file_checks.ts";
import { FoundRows } from "./found_rows.ts";

/**
 * A file for a verification. Its rows are read only if `ownVerifications` has
 * found tables of the right shape.
 */
export class SqliteVerification implements Verifiable {
  readonly #checks: FileChecks;
  readonly #rows: FoundRows;
  readonly #moment: Moment;
  #logBegin: number | undefined;

  /** Takes the connection, the known facts about its file, and the moment. */
  constructor(database: Database, file: VerifiedFile, moment: Moment) {
    this.#checks = new FileChecks(database, file);
    this.#rows = new FoundRows(database);
    this.#moment = moment;
  }

  get keepsWritesOut(): boolean {
    return this.#moment.keepsWritesOut;
  }

  get ownVerifications(): readonly OwnVerification[] {
    return this.#checks.all;
  }

  get logBegin(): number {
    return this.#logBegin ??= this.#checks.logBegin;
  }

  entries(): Iterable<FoundEntry> {
    return this.#checks.canRead("zestor_kv") ? this.#rows.entries() : [];
  }

  changes(): Iterable<FoundChange> {
    // The log has only some of the large values; the entries have the others.
    return this.#checks.canRead("zestor_changes", "zestor_kv")
      ? this.#rows.changes()
      : [];
  }

  valueOf(revision: number): Uint8Array | undefined {
    return this.#rows.valueOf(revision);
  }

  close(): void {
    this.#moment.close();
  }
}
