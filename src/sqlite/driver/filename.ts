/**
 * How a database is named to SQLite.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import type { DatabaseLocation } from "./driver.ts";

/**
 * The text to hand to SQLite, which reads `file:` as the start of a URI.
 *
 * What is shared in memory is so by the VFS "memdb", which locks as a file
 * does. The locks of a shared cache are of another sort: bindings wait for them
 * inside SQLite, for ever where their holder is the same thread.
 */
export function filename(location: DatabaseLocation): string {
  switch (location.memory) {
    case "private":
      return ":memory:";
    case "shared":
      return `file:/${encodeURIComponent(location.path)}?vfs=memdb`;
    default:
      return /^(file:|:)/.test(location.path)
        ? `./${location.path}`
        : location.path;
  }
}

/**
 * The text that names a file by its absolute path to `VACUUM INTO`, on a connection to a database.
 * It would be made by the VFS of that: of what is shared in memory, in memory.
 */
export function copyName(location: DatabaseLocation, path: string): string {
  if (location.memory !== "shared") return path;
  const { isWindows } = platform;
  const names = isWindows ? ["", ...path.split("\\")] : path.split("/");
  return `file://${names.map(encodeURIComponent).join("/")}?vfs=${
    isWindows ? "win32" : "unix"
  }`;
}
