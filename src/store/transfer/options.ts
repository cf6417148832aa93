/**
 * The options of an export and an import, as they were given.
 *
 * @module
 */
import type {
  ExportOptions,
  ImportOptions,
  OperationOptions,
} from "../../contract/mod.ts";
import { describe } from "../../base/messages.ts";
import { assertName } from "../../keys/names.ts";
import { assertType, copyOptions } from "../../base/options.ts";
import type { ImportPlan } from "./import.ts";
import type { LineParts } from "./line.ts";

/** Which entries, and what of them. */
interface Choice extends LineParts, OperationOptions {
  /** All without it. */
  readonly kinds?: ReadonlySet<string>;
}

const CHOICES = ["kinds", "versions", "times", "signal"];

/** What an export's options say; throws on options that make none. */
export function exportPlanOf(options: ExportOptions | undefined): Choice {
  return choiceOf("export", copyOptions("export", options, CHOICES));
}

/** What an import is given; throws where it cannot be imported. */
export function importPlanOf(
  lines: unknown,
  options: ImportOptions | undefined,
): ImportPlan {
  const action = "import";
  if (!(lines instanceof ReadableStream)) {
    throw new TypeError(
      `Cannot ${action}: expected a ReadableStream, received ${
        describe(lines)
      }`,
    );
  }
  const { onProgress, onRefused, ...choice } = copyOptions(action, options, [
    ...CHOICES,
    "onProgress",
    "onRefused",
  ]);
  assertType(action, "onProgress", onProgress, "function");
  assertType(action, "onRefused", onRefused, "function");
  return { ...choiceOf(action, choice), onProgress, onRefused };
}

function choiceOf(
  action: string,
  { kinds, versions = true, times = true, signal }: ExportOptions,
): Choice {
  assertType(action, "versions", versions, "boolean");
  assertType(action, "times", times, "boolean");
  return { kinds: kindsOf(action, kinds), versions, times, signal };
}

function kindsOf(
  action: string,
  kinds: unknown,
): ReadonlySet<string> | undefined {
  if (kinds === undefined) return undefined;
  if (!Array.isArray(kinds)) {
    throw new TypeError(
      `Cannot ${action}: "kinds" is an array, received ${describe(kinds)}`,
    );
  }
  for (const kind of kinds) assertName("kind", kind);
  return new Set(kinds);
}
