/**
 * Keeps two SQLite libraries of one process from a file. Their locks are the
 * process's, so neither sees the other's, and the first to close deletes the
 * write-ahead log that the other still writes to
 * (https://sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application).
 *
 * The invariant: an open file is claimed for its library wherever the rest of
 * the process can see it. Copies of this package in one thread share a map on
 * `globalThis`. Workers share no memory that they can find, so each thread also
 * claims its files in the environment, which is the process's. A claim there
 * names the process, since child processes inherit it. Threads that may not
 * read the environment show themselves by locks, see `hidden_threads.ts`.
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

/** The claims of a thread. Other versions of this package use it too: it may only grow. */
interface Registry {
  /** Tells this thread's claims in the environment from those of others. */
  readonly thread: string;
  /** The open files, by device and inode. */
  readonly files: Map<string, FileClaims>;
}

/** Who has a file open. */
interface FileClaims {
  readonly driver: string;
  readonly library: string;
  stores: number;
  /** A connection of it can never be closed. */
  isStuck: boolean;
  /** What shows it to threads that cannot see this. */
  sign?: Sign;
}

/** A claim on a file that is open. */
export interface FileClaim {
  /** Shows the claim to all threads. SQLite has opened all of its files. */
  show(): void;
  /** Ends the claim. The file is closed. */
  release(): void;
  /** Keeps the claim for as long as the process runs. The file stays open. */
  keep(): void;
}

/**
 * Claims a file for a driver's SQLite library; `undefined` if there is no file
 * yet. Call it before you open the file: to open it and close it again would
 * already drop the locks of another library.
 *
 * Throws `StoreOpenError` if this process has the file open with another
 * library. The claim is made before that is looked at: of two threads that
 * claim at once, one sees the other.
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

/** Throws if a thread that cannot be seen has the file open with another library, or may have. */
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
      `${action}: a store has the file open with the driver "ffi", and this Worker may not read the environment, which tells whether that is in this process, where two SQLite libraries do not see each other's locks; give the Worker that permission`,
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

/** The driver that this process has the file open with, if it has. */
export function claimedDriver(location: DatabaseLocation): string | undefined {
  const id = identify(location);
  if (id === undefined) return undefined;
  return claimOn(id)?.driver ??
    (isHiddenThere(location) ? "builtin" : undefined);
}

/** Who has a file open: a store that can be seen, or perhaps a Worker that cannot. */
export type Holder = "a store" | "perhaps a Worker";

/** Who of this process has the file open, if there is one. */
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
