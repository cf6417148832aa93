/**
 * What `verify` finds.
 *
 * @module
 */

/** A part of what a store keeps, as a verification names it. */
export type VerifyPart = "file" | "entries" | "log" | "triggers" | "foreign";

/** Something that a verification found wrong. */
export interface VerifyFinding {
  /**
   * Where: in the storage itself (`"file"`), in the entries, in the change log,
   * in what writes the log (`"triggers"`), or in what others added to the
   * storage that acts on writes (`"foreign"`): what is stored is sound.
   */
  part: VerifyPart;
  /** What is wrong, and what to do about it. */
  message: string;
  /** The entry's kind, if it is about an entry, or a change of one. */
  kind?: string;
  /** The entry's key, if it is about an entry, or a change of one. */
  key?: string;
  /** The change's revision, if it is about a change. */
  revision?: number;
}
