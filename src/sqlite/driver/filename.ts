/**
 * The names of databases for SQLite.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import type { DatabaseLocation } from "./driver.ts";

/**
 * The file name for SQLite, which reads `file:` as the start of a URI.
 *
 * A shared database in memory uses the VFS "memdb", which locks like a file.
 * The locks of a shared cache are different: bindings wait for them inside
 * SQLite, for ever if the same thread holds them.
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
 * The name of a file by its absolute path, for `VACUUM INTO` on a connection to
 * a database. By default, SQLite would use the VFS of that database: for a
 * shared database in memory, the copy would be in memory, too.
 */
export function copyName(location: DatabaseLocation, path: string): string {
  if (location.memory !== "shared") return path;
  const { isWindows } = platform;
  const names = isWindows ? ["", ...path.split("\\")] : path.split("/");
  return `file://${names.map(encodeURIComponent).join("/")}?vfs=${
    isWindows ? "win32" : "unix"
  }`;
}
