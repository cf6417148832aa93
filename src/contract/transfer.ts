/**
 * Export and import: their options and results.
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
  /** Only these kinds. A kind without entries gives no lines. @default {all} */
  kinds?: readonly Kind[];
  /** Only keys that begin with this string, in each kind. */
  prefix?: string;
  /** Whether lines have the `version` of their entries. @default {true} */
  versions?: boolean;
  /**
   * Whether lines have `updatedAt`. They always have `expiresAt` if the entry
   * expires. @default {true}
   */
  times?: boolean;
}

/**
 * Options of a store's `export`.
 *
 * @typeParam Kind The names of the store's kinds.
 */
export interface StoreExportOptions<Kind extends string = string>
  extends ExportOptions<Kind> {
  /**
   * The revision to export: any that the change log reaches. @default {the
   * newest}
   */
  at?: number;
}

/**
 * Options of `import`.
 *
 * @typeParam Kind The names of the store's kinds.
 */
export interface ImportOptions<Kind extends string = string>
  extends OperationOptions {
  /** Only lines of these kinds. The import skips the others. @default {all} */
  kinds?: readonly Kind[];
  /**
   * Whether a created entry gets the version of its line. If not, or if the
   * line has none, it gets 1. @default {true}
   */
  versions?: boolean;
  /**
   * Whether a created entry gets the time of its line. If not, or if the line
   * has none, it gets the time of the import. @default {true}
   */
  times?: boolean;
  /**
   * Called after each transaction, with the sums so far. If it returns a
   * promise, the import waits for it. If it throws or rejects, the import
   * fails.
   */
  onProgress?: (soFar: ImportResult) => void;
  /**
   * Called for each refused line, in their order, after the transaction of the
   * lines around it has been committed. Without this function, the import fails
   * with `ImportError` at the first such line. With it, the import fails only
   * if none of the first 10 lines is an entry, or none of 100 lines in a row:
   * such a stream is not NDJSON. Promises and errors have the same effect as
   * for `onProgress`.
   */
  onRefused?: (refused: RefusedLine) => void;
}

/** The result of `import`, as numbers of lines. */
export interface ImportResult {
  /** Lines that were read, including empty lines. */
  lines: number;
  /** Entries that the import created. */
  created: number;
  /** Entries whose value or expiry changed. */
  updated: number;
  /** Entries that had the value already. */
  unchanged: number;
  /**
   * Lines that were left out: those of other kinds, and those of entries that
   * have expired.
   */
  skipped: number;
  /** Lines that the import refused. */
  refused: number;
}

/** A line that the import refused. */
export interface RefusedLine {
  /** The line's number, from 1. */
  line: number;
  /** Why. */
  reason: string;
}
