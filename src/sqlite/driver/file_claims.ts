/**
 * Prevents that two SQLite libraries of one process open the same file. POSIX
 * locks belong to the process, so neither library sees the locks of the other,
 * and the first one to close deletes the write-ahead log that the other still
 * uses
 * (https://sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application).
 *
 * The invariant: an open file is claimed for its library, and the rest of the
 * process can see the claim. Copies of this package in one thread share a map
 * on `globalThis`. Workers have no shared memory that they could find, so each
 * thread also claims its files in environment variables, which belong to the
 * process. Such a claim contains the id of the process, because child processes
 * inherit the environment. Threads that may not read the environment use locks,
 * see `hidden_threads.ts`.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import type { DatabaseLocation, Driver } from "./driver.ts";
import {
  isFfiThere,
  isHidden,
  isHiddenThere,
  mayUseEnvironment,
  showFfi,
  showHidden,
  type Sign,
} from "./hidden_threads.ts";

/** The claims of a thread. Other versions of this package use it, too, so it may only be extended. */
interface Registry {
  /** Distinguishes this thread's claims in the environment from those of others. */
  readonly thread: string;
  /** The open files, by device and inode. */
  readonly files: Map<string, FileClaims>;
}

/** The claims on a file. */
interface FileClaims {
  readonly driver: string;
  readonly library: string;
  stores: number;
  /** Whether a connection to the file can never be closed. */
  isStuck: boolean;
  /** Shows the file to threads that cannot see this map. */
  sign?: Sign;
}

/** A claim on an open file. */
export interface FileClaim {
  /** Shows the claim to all threads. SQLite has opened all files of the database. */
  show(): void;
  /** Ends the claim, after the file was closed. */
  release(): void;
  /** Keeps the claim until the process ends. The file stays open. */
  keep(): void;
}

/**
 * Claims a file for a driver's SQLite library. Returns `undefined` if there is
 * no file yet. Call it before you open the file, because opening and closing
 * would already drop the locks of another library.
 *
 * Throws `StoreOpenError` if this process has the file open with another
 * library. It makes the claim before it checks, so if two threads claim at
 * once, at least one sees the other.
 */
export function claimFile(
  location: DatabaseLocation,
  driver: Driver,
): FileClaim | undefined {
  const id = identify(location);
  if (id === undefined) return undefined;
  const library = driver.library ?? driver.name;
  const { files } = registry();
  const own: FileClaims = files.get(id) ??
    { driver: driver.name, library, stores: 0, isStuck: false };
  assertSame(location, driver, own);
  if (own.isStuck) throw stuck(location);
  if (own.stores++ === 0) announce(id, own);
  files.set(id, own);
  const release = () => {
    if (--own.stores > 0 || own.isStuck) return;
    files.delete(id);
    withdraw(id);
    own.sign?.remove();
  };
  const show = () => {
    if (driver.name === "ffi") own.sign ??= showFfi(location);
    assertNoneHidden(location, driver);
  };
  const keep = () => {
    own.isStuck = true;
  };
  try {
    if (isHidden()) own.sign ??= showHidden(location);
    for (const other of announcedOn(id)) assertSame(location, driver, other);
    assertNoneHidden(location, driver);
  } catch (error) {
    release();
    throw error;
  }
  return { show, release, keep };
}

/** Throws if a thread that cannot be seen has, or may have, the file open with another library. */
function assertNoneHidden(location: DatabaseLocation, driver: Driver): void {
  const action =
    `Cannot open store at ${location.path} with the driver "${driver.name}"`;
  if (driver.name === "ffi" && isHiddenThere(location)) {
    throw new StoreOpenError(
      `${action}: a Worker without the permission to read the environment has a file of this directory open with the driver "builtin", and two SQLite libraries do not see each other's locks; give the Worker that permission, or use the driver "builtin"`,
    );
  }
  if (driver.name !== "ffi" && isHidden() && isFfiThere(location)) {
    throw new StoreOpenError(
      `${action}: a store has the file open with the driver "ffi", but this Worker may not read the environment, so it cannot find out whether that store is in this process; two SQLite libraries in one process do not see each other's locks; give the Worker that permission`,
    );
  }
}

function assertSame(
  location: DatabaseLocation,
  driver: Driver,
  claim: Claim,
): void {
  if (claim.library === (driver.library ?? driver.name)) return;
  const action =
    `Cannot open store at ${location.path} with the driver "${driver.name}"`;
  throw new StoreOpenError(
    claim.driver === driver.name
      ? `${action}: another copy of @zestor/store in this process has the file open with another SQLite library, and two libraries do not see each other's locks; use one version of the package`
      : `${action}: this process has the file open with the driver "${claim.driver}", and two SQLite libraries do not see each other's locks; use one driver for both, in Workers too`,
  );
}

function stuck({ path }: DatabaseLocation): StoreOpenError {
  return new StoreOpenError(
    `Cannot open store at ${path}: an earlier store of this process found that files of the database had been replaced, and could not close them without harm to the new ones; restart the process`,
  );
}

/** The driver with which this process has the file open, if it has. */
export function claimedDriver(location: DatabaseLocation): string | undefined {
  const id = identify(location);
  if (id === undefined) return undefined;
  return claimOn(id)?.driver ??
    (isHiddenThere(location) ? "builtin" : undefined);
}

/** The owner of an open file: a store that can be seen, or perhaps a Worker that cannot. */
export type Holder = "a store" | "perhaps a Worker";

/** The owner in this process that has the file open, if there is one. */
export function holderOf(path: string): Holder | undefined {
  const location: DatabaseLocation = { path, mode: "ro" };
  const id = identify(location);
  if (id === undefined) return undefined;
  if (claimOn(id)) return "a store";
  return isHiddenThere(location) ? "perhaps a Worker" : undefined;
}

function claimOn(id: string): Claim | undefined {
  return registry().files.get(id) ?? announcedOn(id)[0];
}

/** The file's identity, whatever it is called; `undefined` if it cannot be told. */
export function identify(location: DatabaseLocation): string | undefined {
  if (location.memory) return undefined;
  try {
    const { dev, ino } = platform.statSync(location.path);
    return ino === null
      ? platform.realPathSync(location.path)
      : `${dev}:${ino}`;
  } catch {
    // It is not there yet, or the driver may read what this process may not.
    return undefined;
  }
}

const REGISTRY = Symbol.for("@zestor/store/open-files");

function registry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry };
  return holder[REGISTRY] ??= {
    thread: crypto.randomUUID().slice(0, 8),
    files: new Map(),
  };
}

// The environment.

type Claim = Pick<FileClaims, "driver" | "library">;

function announce(id: string, { driver, library }: Claim): void {
  if (!mayUseEnvironment()) return;
  const name = namePrefix(id) + registry().thread;
  platform.setVariable(name, `${driver} / ${library}`);
}

function withdraw(id: string): void {
  if (!mayUseEnvironment()) return;
  platform.setVariable(namePrefix(id) + registry().thread, undefined);
}

/** The claims of other threads. */
function announcedOn(id: string): Claim[] {
  if (!mayUseEnvironment()) return [];
  const prefix = namePrefix(id);
  const own = prefix + registry().thread;
  return Object.entries(platform.variables())
    .filter(([name]) => name.startsWith(prefix) && name !== own)
    .map(([, value]) => {
      const [driver, ...library] = value.split(" / ");
      return { driver, library: library.join(" / ") };
    });
}

function namePrefix(id: string): string {
  const file = id.replace(
    /[^0-9A-Za-z]/g,
    (char) => `_${char.charCodeAt(0).toString(16)}_`,
  );
  return `ZESTOR_OPEN_${platform.processId}_${file}_IN_`;
}
