/**
 * Makes a file durable: its text, and its name.
 *
 * @module
 */
import { dirname } from "../../base/paths.ts";

/** The errors of file systems that cannot sync such a file. */
const UNSUPPORTED = ["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/** Writes a text into an open file. */
export function writeWhole(file: Deno.FsFile, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
}

/** Waits until a file's text is on the disk. */
export function syncFile(file: Deno.FsFile): void {
  try {
    file.syncSync();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (!UNSUPPORTED.includes(String(code))) throw error;
  }
}

/**
 * Waits until a file's name is on the disk. A directory cannot be synced on
 * Windows, or if Deno may not read it.
 */
export function syncDirectoryOf(path: string): void {
  if (Deno.build.os === "windows") return;
  const directory = dirname(path);
  const read = { name: "read", path: directory } as const;
  if (Deno.permissions.querySync(read).state !== "granted") return;
  using file = Deno.openSync(directory);
  syncFile(file);
}
