/**
 * What a store may lack of the contract, as data. The suite asks a store only
 * the tests that it can pass; it never looks at the store's name.
 *
 * @module
 */
import { describe } from "../base/messages.ts";

/** How large the parts of a write may be. */
export interface Limits {
  /**
   * Bytes of a kind and its key together, in UTF-8: at least 256. A write with
   * longer names rejects with a `StoreError` of code `TOO_LARGE`.
   * @default {Infinity}
   */
  nameBytes: number;
  /**
   * Bytes of a value as JSON, in UTF-8: at least 4096. A write with a larger
   * value rejects with a `StoreError` of code `TOO_LARGE`.
   * @default {Infinity}
   */
  valueBytes: number;
  /**
   * Changes in one write: at least 32. A larger `setAll` or `atomic` rejects
   * with a `StoreError` of code `TOO_LARGE`: cut it into several, of which each
   * is atomic. An `atomic` with more checks than that may be refused, too.
   * `import` cuts its transactions to so many lines by itself. `deleteAll` is one
   * change, however many entries it deletes.
   * @default {Infinity}
   */
  changes: number;
}

/**
 * What a store supports. Each field tells what you cannot rely on if it is
 * false, or finite. Everything else in the contract holds for every store.
 */
export interface Supports {
  /** How large a write may be. A limit that is left out is `Infinity`. */
  limits?: Partial<Limits>;
  /**
   * Whether `verify` can be asked. If not, nothing but a read finds damage.
   * @default {true}
   */
  verify?: boolean;
  /**
   * Whether `import` creates an entry with the version and the time of its
   * line. If not, a copy by `export` and `import` has the same values, but its
   * versions begin at 1 and its times are new: an `ifVersion` that a program
   * read from the original does not hold for the copy.
   * @default {true}
   */
  importedVersions?: boolean;
  /**
   * Whether `equals` is asked only after the version of a write was found to be
   * the one asked for. If not, `equals` may also be asked for a write that is
   * then refused: do not count on its calls.
   * @default {true}
   */
  checksBeforeEquals?: boolean;
}

/** What a store supports, with every field given. */
export interface Manifest extends Required<Supports> {
  readonly limits: Limits;
}

/** What the suite itself needs; its tests of other things write so much. */
const LEAST: Limits = { nameBytes: 256, valueBytes: 4_096, changes: 32 };

const FULL: Manifest = {
  limits: { nameBytes: Infinity, valueBytes: Infinity, changes: Infinity },
  verify: true,
  importedVersions: true,
  checksBeforeEquals: true,
};

/**
 * Fills in what is left out.
 *
 * @throws {TypeError} If a field is unknown, or not of its type.
 * @throws {RangeError} If a limit is not an integer or `Infinity`, or is smaller
 * than the suite needs.
 */
export function manifestOf(supports: Supports = {}): Manifest {
  const { limits = {}, ...flags } = supports;
  assertKnown(supports, FULL, "supports");
  assertKnown(limits, FULL.limits, "supports.limits");
  for (const [name, flag] of Object.entries(flags)) {
    if (flag !== undefined && typeof flag !== "boolean") {
      throw new TypeError(
        `Cannot test the store: "supports.${name}" must be true or false, received ${
          describe(flag)
        }`,
      );
    }
  }
  const manifest = {
    ...FULL,
    ...given(flags),
    limits: { ...FULL.limits, ...given(limits) },
  };
  assertEnough(manifest.limits);
  return manifest;
}

function assertEnough(limits: Limits): void {
  for (const [name, least] of Object.entries(LEAST)) {
    const limit = limits[name as keyof Limits];
    const isCount = limit === Infinity || Number.isSafeInteger(limit);
    if (isCount && limit >= least) continue;
    throw new RangeError(
      `Cannot test the store: "supports.limits.${name}" must be an integer of at least ${least}, or Infinity, received ${limit}`,
    );
  }
}

function assertKnown(fields: object, known: object, what: string): void {
  const unknown = Object.keys(fields).find((name) =>
    !Object.hasOwn(known, name)
  );
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot test the store: "${what}" has no field "${unknown}"; it has ${
      Object.keys(known).join(", ")
    }`,
  );
}

/** The fields that are not `undefined`. */
function given<Fields extends object>(fields: Fields): Partial<Fields> {
  const entries = Object.entries(fields).filter(([, field]) =>
    field !== undefined
  );
  return Object.fromEntries(entries) as Partial<Fields>;
}
