/**
 * The findings of `verify`.
 *
 * @module
 */

/** The name of a part of the storage, in findings. */
export type VerifyPart = "file" | "entries" | "log" | "triggers" | "foreign";

/** One fault that `verify` found. */
export interface VerifyFinding {
  /**
   * The part with the fault: the storage itself (`"file"`), the entries, the
   * change log, or the triggers that write the log. `"foreign"` means that the
   * data is sound, but that others have added something to the storage that
   * acts on writes.
   */
  part: VerifyPart;
  /** The fault, and what to do about it. */
  message: string;
  /**
   * The entry's kind, if the finding concerns an entry or one of its changes.
   */
  kind?: string;
  /**
   * The entry's key, if the finding concerns an entry or one of its changes.
   */
  key?: string;
  /** The change's revision, if the finding concerns a change. */
  revision?: number;
}
