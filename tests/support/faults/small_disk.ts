/**
 * File systems that are small enough to be filled: in memory, mounted for
 * a test and unmounted after it, which takes Linux and its root.
 *
 * @module
 */
import { join } from "node:path";
import { type TempDir, tempDir } from "../temp_dir.ts";

/** A mounted file system. */
export interface SmallDisk extends TempDir {
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives that back. */
  free(): Promise<void>;
}

/** Mounts one of so many bytes; `await using` unmounts it. */
export async function smallDisk(size: number): Promise<SmallDisk> {
  const dir = await tempDir();
  try {
    await command(
      "mount",
      "-t",
      "tmpfs",
      "-o",
      `size=${size}`,
      "tmpfs",
      dir.path,
    );
  } catch (error) {
    await dir[Symbol.asyncDispose]();
    throw error;
  }
  const ballast = dir.file("ballast");
  return {
    path: dir.path,
    file: (name) => join(dir.path, name),
    async fill() {
      using file = await Deno.open(ballast, { create: true, append: true });
      const page = new Uint8Array(4096);
      try {
        for (;;) await file.write(page);
      } catch {
        // There is no room for another.
      }
    },
    free: () => Deno.remove(ballast),
    async [Symbol.asyncDispose]() {
      await command("umount", dir.path);
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Why there can be none here, if so. */
export async function whyNoSmallDisk(): Promise<string | undefined> {
  try {
    await using _disk = await smallDisk(2 ** 20);
    return undefined;
  } catch (error) {
    return (error as Error).message.trim();
  }
}

async function command(name: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
