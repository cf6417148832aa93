/**
 * Tests of the errors as a program sees them: their classes, codes and
 * messages.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import * as zestor from "../mod.ts";
import { EXIT, exitCodeOf } from "../src/cli/errors.ts";
import { StoreError, type StoreErrorCode } from "../mod.ts";

/** An error of each class, made as the store makes it. */
const ERRORS: Record<StoreErrorCode, [name: string, error: StoreError]> = {
  OPEN: ["StoreOpenError", new zestor.StoreOpenError("Cannot a: b")],
  CLOSED: ["StoreClosedError", new zestor.StoreClosedError()],
  BUSY: ["StoreBusyError", new zestor.StoreBusyError("Cannot a: b")],
  UNAVAILABLE: [
    "StoreUnavailableError",
    new zestor.StoreUnavailableError("Cannot a: b"),
  ],
  UNSUPPORTED: [
    "StoreUnsupportedError",
    new zestor.StoreUnsupportedError("Cannot a: b"),
  ],
  UNKNOWN_OUTCOME: [
    "UnknownOutcomeError",
    new zestor.UnknownOutcomeError("Cannot a: b"),
  ],
  FULL: ["StoreFullError", new zestor.StoreFullError("Cannot a: b")],
  TOO_LARGE: [
    "StoreTooLargeError",
    new zestor.StoreTooLargeError("Cannot a: b"),
  ],
  CORRUPT: ["StoreCorruptError", new zestor.StoreCorruptError("Cannot a: b")],
  READ_ONLY: [
    "StoreReadOnlyError",
    new zestor.StoreReadOnlyError("Cannot a: b"),
  ],
  INVALID_NAME: [
    "InvalidNameError",
    new zestor.InvalidNameError("Cannot a: b"),
  ],
  KEY_NOT_FOUND: ["KeyNotFoundError", new zestor.KeyNotFoundError("k", "a")],
  VERSION_CONFLICT: [
    "VersionConflictError",
    new zestor.VersionConflictError("k", "a", { version: 1 }, {
      version: 2,
      revision: 7,
    }),
  ],
  VALIDATION: [
    "ValidationError",
    new zestor.ValidationError("k", "a", [{ message: "no", path: ["x", 1] }]),
  ],
  CODEC: ["CodecError", new zestor.CodecError("Cannot a: b")],
  WATCH_OVERFLOW: [
    "WatchOverflowError",
    new zestor.WatchOverflowError("pruned", "Cannot a: b"),
  ],
  REVISION_UNAVAILABLE: [
    "RevisionUnavailableError",
    new zestor.RevisionUnavailableError("pruned", "Cannot a: b"),
  ],
  IMPORT: ["ImportError", new zestor.ImportError(1, "no")],
  STORAGE: ["StoreError", new StoreError("STORAGE", "Cannot a: b")],
};

for (const [code, [name, error]] of Object.entries(ERRORS)) {
  Deno.test(`an error of code ${code} is a ${name}`, () => {
    assertInstanceOf(error, StoreError);
    const { constructor } = error;
    assertEquals([error.code, error.name], [code, name]);
    // It is exported by that name.
    assertEquals(Reflect.get(zestor, name), constructor);
    assertMatch(error.message, /^Cannot [^:]+: /);
  });
}

Deno.test("an error has the reason, the cause, and its subject", () => {
  const cause = new Error("behind it");
  const overflow = new zestor.WatchOverflowError("ahead", "Cannot a: b", {
    cause,
  });
  assertEquals([overflow.reason, overflow.cause], ["ahead", cause]);
  assertEquals(
    ERRORS.VALIDATION[1].message,
    'Cannot accept the value of "k"/"a": x.1: no',
  );
  assertEquals(
    ERRORS.KEY_NOT_FOUND[1].message,
    'Cannot update "k"/"a": there is no value; set one first, or give "initial"',
  );
});

Deno.test("the command tells by its exit code whose failure it was", () => {
  const codes =
    (["TOO_LARGE", "VALIDATION", "UNAVAILABLE", "UNKNOWN_OUTCOME"] as const)
      .map((code) => exitCodeOf(ERRORS[code][1]));
  assertEquals(codes, [EXIT.usage, EXIT.usage, EXIT.failure, EXIT.failure]);
});
