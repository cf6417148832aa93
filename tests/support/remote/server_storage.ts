/**
 * The storage of a server: it can be put back to an earlier state.
 *
 * @module
 */
import { WatchOverflowError } from "../../../src/contract/errors.ts";
import { MemoryStorage } from "../../../src/memory/memory_storage.ts";

const ANEW = "read the kind again and watch from there";

/** A storage in memory whose newest changes can be taken back. */
export class ServerStorage extends MemoryStorage {
  #begin: number | undefined;

  override headRevision(): number {
    return this.#begin ?? super.headRevision();
  }

  /** Takes back every change past a revision: a transaction that began there is rolled back. */
  putBack(revision: number): void {
    this.#begin = revision;
    this.begin();
    this.#begin = undefined;
    this.rollBack();
  }

  /** Throws `WatchOverflowError` if the log ends before a revision, or has there a change with another mark. */
  assertHas(revision: number, mark?: number): void {
    const head = this.headRevision();
    if (head < revision) {
      throw new WatchOverflowError(
        "ahead",
        `Cannot watch after revision ${revision}: the server is at ${head}; ${ANEW}`,
      );
    }
    const found = this.getMark(revision);
    if (mark === undefined || found === undefined || found === mark) return;
    throw new WatchOverflowError(
      "history",
      `Cannot watch after revision ${revision}: the server has another change there; ${ANEW}`,
    );
  }
}
