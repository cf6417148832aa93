/**
 * Explains why a store cannot be opened, and what to do. SQLite says only that
 * it cannot; the files beside the database show more. They are never opened,
 * because closing one would drop SQLite's locks on it.
 *
 * @module
 */
import { basename } from "../base/paths.ts";
import type { FileStatus } from "../base/platform.ts";
import {
  CodecError,
  StoreOpenError,
  StoreReadOnlyError,
} from "../contract/errors.ts";
import { lookAt } from "./file/database_file.ts";
import { type DatabaseLocation, SqlError } from "./driver/driver.ts";
import { storeError } from "./connection/failure.ts";
import { lengthProblem } from "./file/real_path.ts";

/** The error of a failed opening. `path` is the given one. */
export function openError(
  path: string | URL,
  location: DatabaseLocation,
  error: unknown,
): unknown {
  const action = `open store at ${path}`;
  const options = { cause: error };
  if (error instanceof CodecError) {
    return new StoreOpenError(
      `Cannot ${action}: ${error.message}; give the codec that the file was written with`,
      options,
    );
  }
  if (!(error instanceof SqlError) || error.failure === "busy") {
    return storeError(action, error);
  }
  const because = `Cannot ${action}: ${error.message}`;
  return error.failure === "read_only"
    ? new StoreReadOnlyError(`${because}; ${readOnlyAdvice(location)}`, options)
    : new StoreOpenError(`${because}; ${adviceFor(error, location)}`, options);
}

function adviceFor({ failure }: SqlError, location: DatabaseLocation): string {
  return failure === "cannot_open"
    ? cannotOpenAdvice(location)
    : ADVICE[failure] ?? "see the cause";
}

const ADVICE: Partial<Record<SqlError["failure"], string>> = {
  not_a_database: "it belongs to another program, or is encrypted",
  corrupt: "restore it from a backup",
  full: "free some space",
  io: "check that the disk works and has free space",
};

/**
 * SQLite also writes to a file that is only read: it rolls the file back, or
 * creates an index of its log.
 */
function readOnlyAdvice({ path, mode }: DatabaseLocation): string {
  if (mode !== "ro") {
    return "open it with mode=rwc, and check that its file and directory are writable";
  }
  const isLeft = (lookAt(`${path}-journal`)?.size ?? 0) > 0;
  return isLeft
    ? `${
      basename(path)
    }-journal was left by an interrupted program, and a reader cannot roll it back; open the file once for writing, as a user who may write the file and its directory`
    : DIRECTORY_ADVICE;
}

const DIRECTORY_ADVICE =
  "to read a write-ahead log, SQLite creates files beside it; make its directory writable, or copy the file to a writable directory";

function cannotOpenAdvice({ path, mode, memory }: DatabaseLocation): string {
  const tooLong = memory ? undefined : lengthProblem(path);
  if (tooLong) return tooLong;
  const found = memory ? undefined : lookAt(path);
  const beside = ["-wal", "-shm", "-journal"].flatMap((suffix) => {
    const file = lookAt(path + suffix);
    return file ? [describe(path + suffix, file, found)] : [];
  });
  if (found && beside.length === 0 && mode === "ro") {
    return `check that this user may read the file; ${DIRECTORY_ADVICE}`;
  }
  if (!found || beside.length === 0) {
    return "check that its directory exists, and is readable and writable";
  }
  return `check that this user may read and write the file, ${
    beside.join(", ")
  } beside it, and their directory`;
}

/** The name of a file, with its owner if the database has another owner. */
function describe(
  path: string,
  { uid }: FileStatus,
  database: FileStatus | undefined,
): string {
  const name = basename(path);
  return uid === database?.uid ? name : `${name} (of user ${uid})`;
}
