/**
 * The runtime of the package. Only the files in `platform/` call the runtime, and
 * code that works only in Deno, such as the FFI driver.
 *
 * @module
 */
import { deno } from "./platform/deno.ts";
import { node } from "./platform/node.ts";
import type { Platform } from "./platform/platform.ts";

export type {
  FileStatus,
  LockableFile,
  SyncedFile,
} from "./platform/platform.ts";

/** Whether the runtime is Deno. */
export const isDeno: boolean = "Deno" in globalThis;

/** The runtime, and the operating system below it. */
export const platform: Platform = isDeno ? deno : node;

/** Whether an error has one of these codes, such as "ENOENT". */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && codes.includes(code);
}
