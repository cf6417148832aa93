/**
 * Deno's permissions. The command never asks for one: a missing permission is
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
 * Throws `UsageError` if SQLite may not compact. `node:sqlite` needs all
 * permissions for it, and the other driver needs FFI, which is as much.
 */
export async function assertMayCompact(): Promise<void> {
  if (await isGranted({ name: "ffi" })) return;
  throw new UsageError(
    "Cannot compact: the permission is missing; run deno with --allow-all",
  );
}
