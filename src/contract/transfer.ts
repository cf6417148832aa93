/**
 * Export and import: their options, and what an import did.
 *
 * @module
 */
import type { OperationOptions } from "./operation.ts";

/**
 * Options of `export`.
 *
 * @typeParam Kind The names of the store's kinds.
 */
export interface ExportOptions<Kind extends string = string>
  extends OperationOptions {
  /** Only these kinds; one that has no entries gives no lines. @default {all} */
  kinds?: readonly Kind[];
  /** Only keys that begin with this string, of each kind. */
  prefix?: string;
  /** Whether lines tell the entries' versions. @default {true} */
  versions?: boolean;
  /** Whether lines tell when the entries were last changed; `expiresAt` they always tell. @default {true} */
  times?: boolean;
}

/**
 * Options of a store's `export`.
 *
 * @typeParam Kind The names of the store's kinds.
 */
export interface StoreExportOptions<Kind extends string = string>
  extends ExportOptions<Kind> {
  /** The revision to export as of: any that the change log reaches. @default {the newest} */
  at?: number;
}

/**
 * Options of `import`.
 *
 * @typeParam Kind The names of the store's kinds.
 */
export interface ImportOptions<Kind extends string = string>
  extends OperationOptions {
  /** Only lines of these kinds; others are skipped. @default {all} */
  kinds?: readonly Kind[];
  /** Whether an entry that is created gets its line's version, if it tells one, else 1. @default {true} */
  versions?: boolean;
  /** Whether an entry that is created gets its line's time, if it tells one, else now. @default {true} */
  times?: boolean;
  /**
   * Called after each transaction, with what has been done so far. A promise
   * that it returns is waited for; if it throws or rejects, so does the import.
   */
  onProgress?: (soFar: ImportResult) => void;
  /**
   * Called for each line that cannot be imported, in their order, when the
   * transaction of the lines around it has been committed. Without it, the
   * first such line is an `ImportError`. With it, the import fails only if none
   * of the first 10 lines is an entry, or none of 100 in a row: such a stream is
   * no NDJSON. Its promises and errors are treated as those of `onProgress`.
   */
  onRefused?: (refused: RefusedLine) => void;
}

/** What `import` did, in numbers of lines. */
export interface ImportResult {
  /** Lines that were read, empty ones too. */
  lines: number;
  /** Entries that were not there before. */
  created: number;
  /** Entries whose value or expiry changed. */
  updated: number;
  /** Entries whose value was there already. */
  unchanged: number;
  /** Lines of kinds that were not asked for, and of entries that have expired. */
  skipped: number;
  /** Lines that could not be imported. */
  refused: number;
}

/** A line that could not be imported. */
export interface RefusedLine {
  /** Its number, from 1. */
  line: number;
  /** Why. */
  reason: string;
}
