/**
 * The machine of the benchmark, without its name.
 *
 * @module
 */
import { median } from "simple-statistics";
import { formatTime } from "./results.ts";
import type { Binding } from "./subjects/binding.ts";
import { peerVersions } from "./subjects/npm.ts";

/** Lines about the machine, the versions, and the day. */
export function describeMachine(
  bindings: ReadonlyMap<string, Binding>,
  dir: string,
): string[] {
  const cores = navigator.hardwareConcurrency;
  const busy = Deno.loadavg()[0].toFixed(1);
  const sqlite = [...bindings].map(([driver, binding]) =>
    `${sqliteVersion(binding)} (${driver})`
  );
  return [
    `${cores} cores of ${cpuModel()}, load ${busy} before the run`,
    `${Deno.build.os} ${Deno.osRelease()}, ${
      fileSystemOf(dir)
    }, where 4 KiB are written and synced in ${formatTime(timeSync(dir))}`,
    `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    `SQLite ${sqlite.join(", ")}; ${peerVersions().join(", ")}`,
    new Date().toISOString().slice(0, 10),
  ];
}

function sqliteVersion(binding: Binding): string {
  const connection = binding.open(":memory:");
  try {
    return connection.prepare("SELECT sqlite_version() AS version").get()
      .version;
  } finally {
    connection.close();
  }
}

function cpuModel(): string {
  try {
    const info = Deno.readTextFileSync("/proc/cpuinfo");
    return /^model name\s*:\s*(.*)$/m.exec(info)?.[1] ?? "an unknown CPU";
  } catch {
    return `${Deno.build.arch}, an unknown CPU`;
  }
}

/** The time to make a write durable, in ms. The goals for durable writes are lower if it is longer. */
function timeSync(dir: string): number {
  using file = Deno.openSync(`${dir}/synced`, { create: true, write: true });
  const page = new Uint8Array(4096);
  const times = Array.from({ length: 100 }, () => {
    const start = performance.now();
    file.writeSync(page);
    file.syncDataSync();
    return performance.now() - start;
  });
  return median(times);
}

function fileSystemOf(dir: string): string {
  try {
    const mounts = Deno.readTextFileSync("/proc/mounts").split("\n")
      .map((line) => line.split(" "))
      .filter(([, at]) => at && `${dir}/`.startsWith(at.replace(/\/?$/, "/")))
      .toSorted(([, a], [, b]) => b.length - a.length);
    return `files on ${mounts[0][2]}`;
  } catch {
    return "files on an unknown file system";
  }
}
