/**
 * Keeps two SQLite libraries of one process from a file. Their locks are the
 * process's, so neither would see the other's, and the first to close would
 * delete the write-ahead log that the other still writes to
 * (https://sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application).
 *
 * @module
 */
import { StoreOpenError } from "../../errors.ts";
import type { Driver, Location } from "./driver.ts";

interface Claim {
  readonly driver: string;
  stores: number;
}

/** The files that this process has open, by device and inode. */
const claims = new Map<string, Claim>();

/**
 * Throws `StoreOpenError` where this process has the file open with another
 * driver. To be called before opening: to open it and close it again would
 * already drop the other's locks.
 */
export function assertUnclaimed(location: Location, driver: Driver): void {
  const claim = claims.get(identify(location) ?? "");
  if (claim === undefined || claim.driver === driver.name) return;
  throw new StoreOpenError(
    `Cannot open store at ${location.path} with the driver "${driver.name}": this process has the file open with the driver "${claim.driver}", and two SQLite libraries do not see each other's locks; use one driver for both`,
  );
}

/** Notes that the file is open. What it returns is to be called when it no longer is. */
export function claimFile(location: Location, driver: Driver): () => void {
  const id = identify(location);
  if (id === undefined) return () => {};
  const claim = claims.get(id) ?? { driver: driver.name, stores: 0 };
  claims.set(id, claim);
  claim.stores++;
  return () => {
    if (--claim.stores === 0) claims.delete(id);
  };
}

/** Whether a store of this process has the file open. */
export function isClaimed(path: string): boolean {
  return claims.has(identify({ path, mode: "ro" }) ?? "");
}

/** The file's identity, whatever it is called; none where it is not known. */
export function identify(location: Location): string | undefined {
  if (location.memory) return undefined;
  try {
    const { dev, ino } = Deno.statSync(location.path);
    return ino === null ? Deno.realPathSync(location.path) : `${dev}:${ino}`;
  } catch {
    // It is not there yet, or the driver may read what Deno may not.
    return undefined;
  }
}
