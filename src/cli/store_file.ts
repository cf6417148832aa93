/**
 * From the options of a command line to an open store. It is opened for what
 * the command does and no more, and no permission is ever asked for: where one
 * is missing, that is an error.
 *
 * @module
 */
import type { Codec } from "../values/codecs/codec.ts";
import type { DatabaseLocation } from "../sqlite/driver/driver.ts";
import { fileDsn, parseDsn } from "../sqlite/file/dsn.ts";
import { openStore } from "../sqlite/open_store.ts";
import type { SqliteStore } from "../sqlite/sqlite_store.ts";
import { reasonOf } from "../base/messages.ts";
import { StoreOpenError } from "../contract/errors.ts";
import { UsageError } from "./errors.ts";
import { exactJson } from "../values/codecs/exact_json.ts";
import { assertGranted, isGranted } from "./permissions.ts";

/** The variable of the environment that names the store. */
export const PATH_VARIABLE = "ZESTOR_DB";

/**
 * What a command does to a store's file: `"inspect"` looks at its write-ahead
 * log, too; `"create"` writes, to a new one too.
 */
export type Access = "read" | "inspect" | "write" | "create";

/** The names of the drivers to choose from. */
export const DRIVERS = ["auto", "ffi", "builtin"] as const;

/** There is no file at the path. */
class FileMissingError extends StoreOpenError {
  constructor(path: string) {
    super(
      `Cannot open store at ${path}: there is no such file; see that the path is right, or make it with "zestor set"`,
    );
  }
}

/** What an opening failed for: the file, or a store in it. */
export function whatIsMissing(error: unknown): "file" | "store" | undefined {
  if (error instanceof FileMissingError) return "file";
  return error instanceof StoreOpenError &&
      error.message.includes("holds no store")
    ? "store"
    : undefined;
}

/** The names of the codecs to choose from. */
export const CODECS = ["json", "yaml", "structured"] as const;

/** The name of a codec. */
export type CodecName = typeof CODECS[number];

/** Which store, as the command line has it. */
export interface StoreSettings {
  /** The path, or a DSN; absent to look in the environment. */
  readonly db?: string;
  readonly codec: CodecName;
  readonly driver: typeof DRIVERS[number];
}

/** What opens a store. */
export interface OpenOptions {
  readonly access: Access;
  /** How long to wait for others' locks, in ms. */
  readonly busyTimeout?: number;
  readonly signal?: AbortSignal;
}

/** Opens the store. Throws `UsageError` where the settings name none, or permissions are missing. */
export async function openStoreFile(
  settings: StoreSettings,
  { access, ...options }: OpenOptions,
): Promise<SqliteStore> {
  const location = await locationOf(settings, access);
  await assertPermitted(location, access);
  assertThere(location);
  return await openStore({
    ...options,
    path: fileDsn(location),
    codec: await codecNamed(settings.codec),
    driver: await driverNamed(settings.driver),
  });
}

/** Where the store is. Throws `UsageError` if the settings name none. */
export async function locationOf(
  settings: StoreSettings,
  access: Access,
): Promise<DatabaseLocation> {
  return locate(await pathOf(settings), access);
}

async function pathOf({ db }: StoreSettings): Promise<string> {
  const path = db ?? await variable(PATH_VARIABLE);
  if (path) return path;
  throw new UsageError(
    `Cannot open store: there is no path; give --db PATH, or set ${PATH_VARIABLE} and run deno with --allow-env=${PATH_VARIABLE}`,
  );
}

async function variable(name: string): Promise<string | undefined> {
  return await isGranted({ name: "env", variable: name })
    ? Deno.env.get(name)
    : undefined;
}

function locate(path: string, access: Access): DatabaseLocation {
  const location = parsePath(path);
  if (location.memory) {
    throw new UsageError(
      `Cannot open store at ${path}: what is in memory ends with the command; give the path of a file`,
    );
  }
  if (access === "read" || access === "inspect") {
    return { ...location, mode: "ro" };
  }
  if (location.mode === "ro") {
    throw new UsageError(
      `Cannot write to the store at ${path}: it is to be opened with mode=ro; leave that out`,
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

/** Throws `UsageError` where opening the file would ask for a permission. */
async function assertPermitted(
  { path, mode }: DatabaseLocation,
  access: Access,
): Promise<void> {
  await assertGranted("read", path);
  if (mode !== "ro") await assertGranted("write", path);
  // Of an empty file the store looks whether there is a log without it.
  if (access === "inspect" || stat(path)?.size === 0) {
    await assertGranted("read", `${path}-wal`);
  }
}

function assertThere({ path, mode }: DatabaseLocation): void {
  if (mode === "rwc" || stat(path) !== undefined) return;
  throw new FileMissingError(path);
}

/** What there is at a path, unless it is nothing, or cannot be told. */
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

/** Throws `UsageError` if the codec of a name cannot encode a value. */
export async function assertEncodable(
  value: unknown,
  codec: CodecName,
): Promise<void> {
  const { encode } = await codecNamed(codec);
  try {
    encode(value);
  } catch (cause) {
    throw new UsageError(
      `Cannot write the value with the codec "${codec}": ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** The codec of a name. Only what is used is loaded. */
export async function codecNamed(name: CodecName): Promise<Codec> {
  switch (name) {
    case "json":
      return exactJson;
    case "yaml":
      return (await import("../values/codecs/yaml.ts")).yaml;
    case "structured":
      return (await import("../values/codecs/structured.ts")).structured;
  }
}

async function driverNamed(
  name: StoreSettings["driver"],
): Promise<StoreSettings["driver"]> {
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
