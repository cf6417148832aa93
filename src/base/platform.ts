/**
 * Where the package runs. Only the files in `platform/` ask the runtime for
 * something, and what works in Deno alone, such as the FFI driver.
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

/** Whether it is Deno. */
export const isDeno: boolean = "Deno" in globalThis;

/** The runtime, and the operating system below it. */
export const platform: Platform = isDeno ? deno : node;

/** Whether an error has one of these codes, such as "ENOENT". */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && codes.includes(code);
}
