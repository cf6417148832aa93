/**
 * The manifest of a store: the parts of the contract that it may lack, as data.
 * The suite runs only the tests that the store can pass, and never looks at the
 * store's name.
 *
 * @module
 */
import { describe } from "../base/messages.ts";

/** The largest sizes of the parts of a write. */
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
   * with a `StoreError` of code `TOO_LARGE`: divide it into several, each of
   * which is atomic. An `atomic` with more checks than that may be refused,
   * too. `import` limits its transactions to this many lines by itself.
   * `deleteAll` is one change, for any number of entries.
   * @default {Infinity}
   */
  changes: number;
}

/**
 * The abilities of a store. If a field is `false` or finite, its comment says
 * what you cannot rely on. Everything else in the contract holds for every
 * store.
 */
export interface Supports {
  /** The limits of a write. A missing limit is `Infinity`. */
  limits?: Partial<Limits>;
  /**
   * Whether the store has `verify`. If not, only a read finds damage.
   * @default {true}
   */
  verify?: boolean;
  /**
   * Whether `import` creates an entry with the version and the time of its
   * line. If not, a copy by `export` and `import` has the same values, but its
   * versions begin at 1, and its times are new. So an `ifVersion` from the
   * original is not valid for the copy.
   * @default {true}
   */
  importedVersions?: boolean;
  /**
   * Whether `equals` is called only after the condition of a write was found to
   * hold. If not, `equals` may also be called for a write that is then refused:
   * do not rely on the number of its calls.
   * @default {true}
   */
  checksBeforeEquals?: boolean;
}

/** The abilities of a store, with all fields. */
export interface Manifest extends Required<Supports> {
  readonly limits: Limits;
}

/** The limits that the suite itself needs, because its other tests write this much. */
const LEAST: Limits = { nameBytes: 256, valueBytes: 4_096, changes: 32 };

const FULL: Manifest = {
  limits: { nameBytes: Infinity, valueBytes: Infinity, changes: Infinity },
  verify: true,
  importedVersions: true,
  checksBeforeEquals: true,
};

/**
 * Fills in the missing fields.
 *
 * @throws {TypeError} If a field is unknown, or has the wrong type.
 * @throws {RangeError} If a limit is not an integer or `Infinity`, or is
 * smaller than the suite needs.
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
