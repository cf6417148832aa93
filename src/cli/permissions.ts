/**
 * Deno's permissions, without ever asking for one: where one is missing, that is
 * an error that names the flag.
 *
 * @module
 */
import { UsageError } from "./errors.ts";

/** Whether a permission is granted. */
export async function isGranted(
  permission: Deno.PermissionDescriptor,
): Promise<boolean> {
  return (await Deno.permissions.query(permission)).state === "granted";
}

/** Throws `UsageError` unless a path may be read or written. */
export async function assertGranted(
  name: "read" | "write",
  path: string,
): Promise<void> {
  if (await isGranted({ name, path })) return;
  throw new UsageError(
    `Cannot ${name} ${path}: the permission is missing; run deno with --allow-${name}=${path}`,
  );
}

/**
 * Throws `UsageError` where SQLite may not compact: `node:sqlite` takes every
 * permission for it, and the other driver takes FFI, which is as much.
 */
export async function assertMayCompact(): Promise<void> {
  if (await isGranted({ name: "ffi" })) return;
  throw new UsageError(
    "Cannot compact: the permission is missing; run deno with --allow-all",
  );
}
