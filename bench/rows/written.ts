/**
 * The bytes that a durable `set` writes to the disk.
 *
 * @module
 */
import { deepEqual } from "node:assert";
import { whyNotCounted, writtenBytes } from "../disk.ts";
import {
  DENO_KV,
  formatCount,
  type Line,
  LMDB,
  NODE_SQLITE,
  RAW,
} from "../results.ts";
import type { Session, Subject } from "../subjects/subject.ts";
import {
  entriesOf,
  keyOf,
  LARGE,
  LARGE_CHANGED,
  MEDIUM,
  SMALL,
  type Values,
} from "../values.ts";
import type { Row } from "./row.ts";

/** The rows; `scale` makes them smaller. */
export function writtenRows(scale: number): Row[] {
  /** How many entries are replaced, in turn. */
  const count = Math.max(10, 100 * scale);
  // So many that the write-ahead log is checkpointed several times.
  return [
    writtenRow(SMALL, 1_000 * scale, count),
    writtenRow(MEDIUM, 1_000 * scale, count),
    writtenRow(LARGE, 200 * scale, count),
    writtenRow(LARGE_CHANGED, 200 * scale, count),
  ];
}

function writtenRow(values: Values, sets: number, count: number): Row {
  const name = `bytes written, ${values.label}`;
  return {
    name,
    async measure(bench) {
      const work =
        `what the process writes to the disk while one caller replaces ${
          formatCount(sets)
        } values durably and the database is closed, for each of them: the checkpoints are included`;
      const absent = whyNotCounted(await bench.makeFolder());
      if (absent) {
        return {
          name,
          work,
          unit: "set",
          quantity: "bytes",
          absent,
          lines: [],
        };
      }
      const written = new Map<string, number>();
      for (const subject of bench.subjects) {
        if (!isMeasured(subject)) continue;
        const { open } = subject;
        const folder = await bench.makeFolder();
        const filled = await open(folder);
        await filled.setAll(entriesOf(values, count));
        await closeWhole(filled, folder);
        // Opened again, so that the first checkpoint contains only the counted
        // writes.
        const session = await open(folder);
        await session.get(keyOf(0));
        const before = writtenBytes();
        for (let n = 0; n < sets; n++) {
          await session.set(keyOf(n % count), values.of(count + n));
        }
        await closeWhole(session, folder);
        written.set(subject.name, (writtenBytes() - before) / sets);
      }
      const lines = bench.subjects.flatMap((subject) =>
        lineOf(subject, written, values.bytes)
      );
      return { name, work, unit: "set", quantity: "bytes", lines };
    },
  };
}

/** Other tables on SQLite are left out, because they write the same as `node:sqlite`. */
function isMeasured({ name, family, isDurable }: Subject): boolean {
  if (family === "peer") return [DENO_KV, NODE_SQLITE, LMDB].includes(name);
  return isDurable;
}

/** Closes it, and checks that no checkpoint is outstanding. */
async function closeWhole(session: Session, folder: string): Promise<void> {
  await session.close();
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  deepEqual(names.filter((name) => name.endsWith("-wal")), []);
}

function lineOf(
  { name, family, limit }: Subject,
  written: ReadonlyMap<string, number>,
  valueBytes: number,
): Line[] {
  const bytes = written.get(name);
  if (bytes === undefined) return [];
  const ratioTo = (heading: string, base: number | undefined) => {
    if (base === undefined || base === bytes) return {};
    const ratio = bytes / base;
    return { [heading]: { median: ratio, low: ratio, high: ratio } };
  };
  return [{
    subject: name,
    family,
    value: { median: bytes, low: bytes, high: bytes },
    ratios: {
      ...ratioTo("times the value", valueBytes),
      ...ratioTo(`times ${RAW}`, limit ? written.get(limit) : undefined),
      ...ratioTo(`times ${DENO_KV}`, written.get(DENO_KV)),
    },
    goals: [],
  }];
}
