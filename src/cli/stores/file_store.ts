/**
 * A store in a file. It is opened only for the work of the command, and Deno
 * never asks for a permission: a missing one is an error.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import type { DatabaseLocation } from "../../sqlite/driver/driver.ts";
import { fileDsn, parseDsn } from "../../sqlite/file/dsn.ts";
import { openStore } from "../../sqlite/open_store.ts";
import type { SqliteStore } from "../../sqlite/sqlite_store.ts";
import { UsageError } from "../errors.ts";
import { assertGranted, isGranted } from "../permissions.ts";
import { type CodecName, codecNamed } from "./codecs.ts";
import { FileMissingError } from "./missing.ts";
import type { Access, DRIVERS, OpenOptions } from "./settings.ts";

/** The name of a driver. */
type DriverName = typeof DRIVERS[number];

/** The file, and the codec of its values. */
export interface FileSettings {
  /** A path, a `file:` URL or a DSN. */
  readonly path: string;
  readonly codec: CodecName;
  /** @default {"builtin"} */
  readonly driver?: DriverName;
}

/** Opens the store. Throws `UsageError` if the path is invalid, or if permissions are missing. */
export async function openStoreFile(
  { path, codec, driver = "builtin" }: FileSettings,
  { access, ...options }: OpenOptions,
): Promise<SqliteStore> {
  const location = locate(path, access);
  await assertPermitted(location, access);
  assertThere(location);
  return await openStore({
    ...options,
    path: fileDsn(location),
    codec: await codecNamed(codec),
    driver: await driverNamed(driver),
  });
}

/** The path of a file to read. */
export function pathToRead(path: string): string {
  return locate(path, "read").path;
}

function locate(path: string, access: Access): DatabaseLocation {
  const location = parsePath(path);
  if (location.memory) {
    throw new UsageError(
      `Cannot open store at ${path}: a store in memory is lost when the command ends; give the path of a file`,
    );
  }
  if (access === "read" || access === "inspect") {
    return { ...location, mode: "ro" };
  }
  if (location.mode === "ro") {
    throw new UsageError(
      `Cannot write to the store at ${path}: mode=ro opens it only to read; leave that out`,
    );
  }
  return access === "write" ? { ...location, mode: "rw" } : location;
}

function parsePath(path: string): DatabaseLocation {
  try {
    return parseDsn(path);
  } catch (cause) {
    throw new UsageError(reasonOf(cause), { cause });
  }
}

/** Throws `UsageError` if Deno would ask for a permission to open the file. */
async function assertPermitted(
  { path, mode }: DatabaseLocation,
  access: Access,
): Promise<void> {
  await assertGranted("read", path);
  if (mode !== "ro") await assertGranted("write", path);
  // For an empty file, the store checks whether there is a write-ahead log.
  if (access === "inspect" || stat(path)?.size === 0) {
    await assertGranted("read", `${path}-wal`);
  }
}

function assertThere({ path, mode }: DatabaseLocation): void {
  if (mode === "rwc" || stat(path) !== undefined) return;
  throw new FileMissingError(path);
}

/** The information about a path, if it exists and Deno may read it. */
function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new StoreOpenError(
      `Cannot open store at ${path}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

async function driverNamed(name: DriverName): Promise<DriverName> {
  if (name === "builtin") return name;
  // The binding asks for all of these.
  const names = ["ffi", "env", "read", "write", "net"] as const;
  const granted = await Promise.all(names.map((name) => isGranted({ name })));
  if (!granted.includes(false)) return name;
  if (name === "auto") return "builtin";
  throw new UsageError(
    `Cannot load the driver "ffi": permissions are missing; run deno with --allow-all, or use the driver "builtin"`,
  );
}
