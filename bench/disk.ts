/**
 * The bytes that this process writes to disks, as Linux counts them: pages when
 * they become dirty, for all threads and libraries.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_io.5.html
 *
 * @module
 */

const ACCOUNT = "/proc/self/io";
const PROBE_BYTES = 1 << 20;

/** Bytes that this process has caused to be written since it began. */
export function writtenBytes(): number {
  const account = Deno.readTextFileSync(ACCOUNT);
  const [, bytes] = /^write_bytes: (\d+)$/m.exec(account) ?? [];
  if (bytes === undefined) throw new Error(`${ACCOUNT} has no write_bytes`);
  return Number(bytes);
}

/** Why the writes to a folder cannot be counted, if they cannot. */
export function whyNotCounted(folder: string): string | undefined {
  try {
    const before = writtenBytes();
    using file = Deno.openSync(`${folder}/probe`, {
      create: true,
      write: true,
    });
    file.writeSync(new Uint8Array(PROBE_BYTES).fill(1));
    file.syncDataSync();
    return writtenBytes() - before >= PROBE_BYTES
      ? undefined
      : `${ACCOUNT} does not count what is written to ${folder}, as on a file system in memory`;
  } catch (error) {
    return `${ACCOUNT} cannot be read: ${(error as Error).message}`;
  }
}
