/**
 * What a loss of power may leave of a directory: everything that was synced,
 * and any part of the rest.
 *
 * A file that was not synced may have lost all since, a part from some change
 * on, or single sectors of single writes, in any order: so an older sector may
 * be beside a newer one. Its size may be the new one where its bytes are not:
 * they are 0 then, or what was in that place of the disk before. Names that
 * were not synced may be lost one by one. A sector is written whole or not at
 * all, which disks promise, and SQLite relies on
 * (https://sqlite.org/psow.html).
 *
 * @module
 */
import type { Random } from "../random.ts";
import {
  changed,
  changeNames,
  type DataChange,
  type Disk,
  type DiskFile,
  GrowingBytes,
} from "./disk.ts";

/** A directory after a loss of power: bytes by name. */
export type Remains = Map<string, Uint8Array>;

/** What becomes of changes that were not synced. */
type Manner = "lost" | "kept" | "cut" | "scattered";
const MANNERS: readonly Manner[] = ["lost", "kept", "cut", "scattered"];

const SECTOR = 512;
const PAGE = 4096;

/** Makes what a loss of power may leave. */
export function losePower(disk: Disk, random: Random): Remains {
  const names = new Map(disk.durableNames);
  for (const change of some(disk.pendingNames, random.pick(MANNERS), random)) {
    changeNames(names, change);
  }
  const bytes = new Map<DiskFile, Uint8Array>();
  for (const file of new Set(names.values())) {
    bytes.set(file, loseData(file, random));
  }
  // A process that starts again makes SQLite's shared memory anew.
  return new Map(
    [...names].filter(([name]) => !name.endsWith("-shm"))
      .map(([name, file]) => [name, bytes.get(file)!]),
  );
}

function loseData(file: DiskFile, random: Random): Uint8Array {
  const { durable, pending } = file;
  if (pending.length === 0) return durable;
  const manner = random.pick(MANNERS);
  if (manner === "scattered") return scatter(file, random);
  return changed(durable, some(pending, manner, random));
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

/** Few, half, or most of the changes are kept. */
const CHANCES = [0.1, 0.5, 0.9];

/** Keeps single sectors of the writes, and the sizes that others gave. */
function scatter({ durable, pending }: DiskFile, random: Random): Uint8Array {
  const sector = random.pick([SECTOR, PAGE]);
  const kept = random.pick(CHANCES);
  const sizeKept = random.pick([0, 1]);
  const fill = random.pick(FILLS);
  const bytes = new GrowingBytes(durable);
  for (const change of pending.flatMap((change) => split(change, sector))) {
    const isKept = random.chance(kept);
    const end = "size" in change
      ? change.size
      : change.at + change.bytes.length;
    const from = bytes.size;
    if ("size" in change) {
      if (isKept) bytes.resize(end);
    } else if (isKept || random.chance(sizeKept)) {
      bytes.resize(Math.max(from, end));
    }
    if (fill === "noise" && bytes.size > from) {
      bytes.write(from, random.bytes(bytes.size - from));
    }
    if (isKept && "bytes" in change) bytes.write(change.at, change.bytes);
  }
  return bytes.result();
}

/** A write as one write for each sector; the rest as it is. */
function split(change: DataChange, sector: number): DataChange[] {
  if ("size" in change) return [change];
  const { at, bytes } = change;
  const parts: DataChange[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + sector - (at + from) % sector);
    parts.push({ at: at + from, bytes: bytes.subarray(from, to) });
    from = to;
  }
  return parts;
}

/**
 * What is where a file grew and nothing was written. It is never what another
 * file had there: SQLite relies on that, because a journal that was removed
 * looks like a valid one. (ext4 with `data=writeback` may show it.)
 */
type Fill = "zeros" | "noise";
const FILLS: readonly Fill[] = ["zeros", "zeros", "noise"];
