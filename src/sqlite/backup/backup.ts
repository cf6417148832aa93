/**
 * Backups: the whole database as one file, copied while stores continue to
 * write.
 *
 * The invariant: the target is either unchanged, or a copy that is complete,
 * checked and synced to the disk. No other file is left behind.
 *
 * @module
 */
import { resolve } from "../../base/paths.ts";
import type {
  OperationOptions,
  Store,
  VerifyFinding,
} from "../../contract/mod.ts";
import { quoteText, reasonOf } from "../../base/messages.ts";
import type { SyncedFile } from "../../base/platform.ts";
import { StoreCorruptError, StoreError } from "../../contract/errors.ts";
import { boolean, type OptionsSpec, readOptions } from "../../base/options.ts";
import { OPERATION } from "../../store/options.ts";
import {
  assertFree,
  createBeside,
  followLink,
  openDirectoryOf,
  putInPlace,
  removeCopy,
  settle,
  syncDirectory,
  type Target,
} from "./backup_file.ts";
import {
  type DatabaseLocation,
  type Driver,
  SqlError,
} from "../driver/driver.ts";
import { parseFilePath } from "../file/dsn.ts";
import { fileError } from "../file/file_error.ts";
import { storeError } from "../connection/failure.ts";
import { openConnection } from "../connection/open_connection.ts";
import { lengthProblem, realPath } from "../file/real_path.ts";

/** Options of `backup`. */
export interface BackupOptions extends OperationOptions {
  /**
   * Replace an existing file at the path, in one step. No store may have that
   * file open, in any process.
   * @default {false}
   */
  overwrite?: boolean;
}

const BACKUP = {
  overwrite: boolean,
  ...OPERATION,
} satisfies OptionsSpec<BackupOptions>;

/** The arguments of a backup. */
export interface BackupRequest {
  readonly target: Target;
  readonly signal?: AbortSignal;
}

/** The source of a backup. */
export interface BackupSource {
  /** The path of a file is its real path. */
  readonly location: DatabaseLocation;
  readonly driver: Driver;
  /** Copies the database into an empty file. Throws at once if a lock is in the way. */
  copyTo(path: string): Promise<void>;
  /** Opens a copy to read it. */
  openCopy(path: string): Promise<Store>;
}

/** Reads the arguments. Throws if they are invalid. */
export function readBackupRequest(
  path: string | URL,
  options: BackupOptions | undefined,
): BackupRequest {
  const { overwrite = false, signal } = readOptions("back up", options, BACKUP);
  const file = parseFilePath("back up", path);
  const action = `back up to ${quoteText(file)}`;
  return { target: { action, path: resolve(file), overwrite }, signal };
}

/** Runs work in its turn, while nothing else runs. */
export type RunAlone = <T>(
  action: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
) => Promise<T>;

/** Makes a backup. */
export async function backUp(
  source: BackupSource,
  alone: RunAlone,
  { target: asked, signal }: BackupRequest,
): Promise<void> {
  const { action } = asked;
  const withFiles = <T>(work: () => Promise<T>) => attempt(action, work);
  signal?.throwIfAborted();
  const target = await withFiles(() => followLink(asked));
  await withFiles(() => assertFree(target, source.location));
  const directory = await withFiles(() => openDirectoryOf(target));
  try {
    await makeCopy(source, alone, { target, signal });
    await settleName(directory, action);
  } finally {
    directory?.close();
  }
}

/** Makes a copy, and puts it in place. */
async function makeCopy(
  source: BackupSource,
  alone: RunAlone,
  { target, signal }: BackupRequest,
): Promise<void> {
  const { action } = target;
  const withFiles = <T>(work: () => Promise<T>) => attempt(action, work);
  const created = await withFiles(() => createBeside(target, source.location));
  const copy = realPath(created, "rwc");
  try {
    await alone(action, () => source.copyTo(copy), signal)
      .catch((error) => {
        throw explained(copy, action, error);
      });
    makeSingleFile(source.driver, copy, action);
    await withFiles(() => settle(copy, source.location));
    await verify(source, copy, action, signal);
    // The copy took a while, so the target may have changed.
    await withFiles(() => assertFree(target, source.location));
    signal?.throwIfAborted();
    await withFiles(() => putInPlace(copy, target));
  } finally {
    await removeCopy(copy);
  }
}

/** Syncs the directory, so that the name of the copy is durable. */
async function settleName(
  directory: SyncedFile | undefined,
  action: string,
): Promise<void> {
  try {
    await syncDirectory(directory);
  } catch (cause) {
    throw new StoreError(
      "STORAGE",
      `Cannot ${action} durably: the copy is in place, but its directory cannot be synced: ${
        reasonOf(cause)
      }; a loss of power may take the copy: check that the disk works, then back up again with overwrite: true`,
      { cause },
    );
  }
}

async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(action, error);
  }
}

/** Explains that a copy's path is too long: SQLite says only that it cannot open the file. */
function explained(copy: string, action: string, error: unknown): unknown {
  const { cause } = error as { cause?: unknown };
  const isRefused = cause instanceof SqlError &&
    cause.failure === "cannot_open";
  const problem = isRefused ? lengthProblem(copy) : undefined;
  if (problem === undefined) return error;
  return new StoreError(
    "STORAGE",
    `Cannot ${action}: the copy is first written under a longer name: ${problem}`,
    { cause },
  );
}

/**
 * The header of the copy may say that it has a write-ahead log, as its source
 * does. Then even a read would create two more files.
 */
function makeSingleFile(driver: Driver, copy: string, action: string): void {
  try {
    const connection = openConnection(driver, { path: copy, mode: "rw" });
    try {
      connection.exec("PRAGMA journal_mode = DELETE");
    } finally {
      connection.close();
    }
  } catch (error) {
    throw storeError(action, error);
  }
}

/** Throws unless the copy can be opened, and a verification finds no fault. */
async function verify(
  { openCopy }: BackupSource,
  copy: string,
  action: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  let findings: VerifyFinding[];
  try {
    const store = await openCopy(copy);
    try {
      findings = await store.verify({ signal });
    } finally {
      await store.close();
    }
  } catch (error) {
    throw unverified(action, error);
  }
  // The stored data is sound, even if others added objects to the tables.
  const [first, ...others] = findings.filter(({ part }) => part !== "foreign");
  if (!first) return;
  const more = others.length > 0 ? `, and ${others.length} more` : "";
  throw new StoreCorruptError(
    `Cannot ${action}: the copy is not sound: ${first.message}${more}; the store itself most likely has the same fault: see the findings of verify()`,
  );
}

/** The error for a copy that could not be checked. The reason of an abort is returned unchanged. */
function unverified(action: string, error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const { cause } = error;
  if (cause instanceof SqlError) {
    return storeError(`${action}, and check the copy`, cause);
  }
  return new StoreCorruptError(
    `Cannot ${action}: the copy is not sound: ${error.message}; see the findings of verify() for the store itself`,
    { cause: error },
  );
}
