/**
 * What a loss of power may leave of a directory: everything that was synced,
 * and any part of the rest.
 *
 * A file that was not synced may have lost all since, or all from some change
 * on, or the changes of single sectors: so an older sector may be beside a newer
 * one. Its size may be the new one where its bytes are not. Names that were not
 * synced may be lost one by one. A sector is written whole or not at all, which
 * disks promise, and SQLite relies on (https://sqlite.org/psow.html).
 *
 * @module
 */
import type { Random } from "../random.ts";
import { changed, changeNames, type Disk, type DiskFile } from "./disk.ts";

/** A directory after a loss of power: bytes by name. */
export type Remains = Map<string, Uint8Array>;

/** Makes what a loss of power may leave. */
export function losePower(disk: Disk, random: Random): Remains {
  // A checksum that finds many lost sectors may not find a single one.
  return random.chance(0.4) ? loseSector(disk, random) : losePart(disk, random);
}

const SECTOR = 512;
const PAGE = 4096;

/** Loses one sector of one file, and nothing else. */
function loseSector(disk: Disk, random: Random): Remains {
  const unsynced = [...disk.names]
    .filter(([name, { pending }]) => isLasting(name) && pending.length > 0);
  if (unsynced.length === 0) return remains(disk.names, (file) => file.read());
  const [, lost] = random.pick(unsynced);
  return remains(disk.names, (file) => {
    const now = file.read();
    if (file !== lost) return now;
    const before = padded(file.durable, now.length, random);
    const changes = changedSectors(before, now);
    if (changes.length === 0) return now;
    const at = random.pick(changes);
    const left = now.slice();
    left.set(before.subarray(at, at + SECTOR), at);
    return left;
  });
}

/** Where two files of the same size differ. */
function changedSectors(before: Uint8Array, now: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < now.length; at += SECTOR) {
    const end = Math.min(at + SECTOR, now.length);
    for (let i = at; i < end; i++) {
      if (before[i] === now[i]) continue;
      found.push(at);
      break;
    }
  }
  return found;
}

/** What becomes of changes that were not synced. */
type Manner = "lost" | "kept" | "cut" | "scattered";
const MANNERS: readonly Manner[] = ["lost", "kept", "cut", "scattered"];

/** Few, half, or most of what is scattered is kept. */
const CHANCES = [0.1, 0.5, 0.9];

/** Loses any part of the names, and of each file. */
function losePart(disk: Disk, random: Random): Remains {
  const names = new Map(disk.durableNames);
  for (const change of some(disk.pendingNames, random.pick(MANNERS), random)) {
    changeNames(names, change);
  }
  return remains(names, (file) => {
    const { durable, pending } = file;
    if (pending.length === 0) return durable;
    const manner = random.pick(MANNERS);
    return manner === "scattered"
      ? scatter(file, random)
      : changed(durable, some(pending, manner, random));
  });
}

/** Some of the changes, in their order. */
function some<Change>(
  changes: readonly Change[],
  manner: Manner,
  random: Random,
): readonly Change[] {
  switch (manner) {
    case "lost":
      return [];
    case "kept":
      return changes;
    case "cut":
      return changes.slice(0, random.below(changes.length + 1));
    case "scattered": {
      const chance = random.pick(CHANCES);
      return changes.filter(() => random.chance(chance));
    }
  }
}

/** Takes each sector from the file as it is now, or as it was at some time since the sync. */
function scatter({ durable, pending }: DiskFile, random: Random): Uint8Array {
  const now = changed(durable, pending);
  const earlier = [durable, changed(durable, some(pending, "cut", random))];
  const { length } = random.pick([now, ...earlier]);
  const left = padded(new Uint8Array(), length, random);
  const sector = random.pick([SECTOR, PAGE]);
  const chance = random.pick(CHANCES);
  for (let at = 0; at < length; at += sector) {
    const from = random.chance(chance) ? now : random.pick(earlier);
    left.set(from.subarray(at, Math.min(at + sector, length)), at);
  }
  return left;
}

/**
 * Bytes as a file of another size has them. Where it grew and nothing was
 * written there are zeros, or noise, but never what another file had there.
 * SQLite relies on that, because a journal that was removed looks like a valid
 * one. (ext4 may show it, if it is mounted with `data=writeback`.)
 */
function padded(
  bytes: Uint8Array,
  length: number,
  random: Random,
): Uint8Array {
  const result = random.chance(0.7)
    ? new Uint8Array(length)
    : random.bytes(length);
  result.set(bytes.subarray(0, length));
  return result;
}

/** Whether a file is there when a process starts again: SQLite makes its shared memory anew. */
function isLasting(name: string): boolean {
  return !name.endsWith("-shm");
}

function remains(
  names: ReadonlyMap<string, DiskFile>,
  bytesOf: (file: DiskFile) => Uint8Array,
): Remains {
  const left: Remains = new Map();
  const bytes = new Map<DiskFile, Uint8Array>();
  for (const [name, file] of names) {
    if (!isLasting(name)) continue;
    // A file with two names has the same bytes by both.
    if (!bytes.has(file)) bytes.set(file, bytesOf(file));
    left.set(name, bytes.get(file)!);
  }
  return left;
}
