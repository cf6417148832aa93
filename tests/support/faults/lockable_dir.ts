/**
 * Directories in which nothing can be written any more: by their permissions,
 * or to root, whom those do not hold, by a mount.
 *
 * @module
 */
import { assert } from "@std/assert";
import { drivers, type TestDriver } from "../drivers.ts";

/** A directory that can be made to refuse every write. */
export interface LockableDir extends AsyncDisposable {
  readonly path: string;
  /** From here on nothing in it can be written. */
  lock(): Promise<void>;
}

async function mount(...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command("mount", { args, stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

/** To root no permission of a file is in the way: it takes a mount. */
async function lockableDir(): Promise<LockableDir | undefined> {
  const path = await Deno.makeTempDir({ prefix: "zestor-" });
  if (Deno.uid() !== 0) {
    return {
      path,
      async lock() {
        for await (const { name } of Deno.readDir(path)) {
          await Deno.chmod(`${path}/${name}`, 0o444);
        }
        await Deno.chmod(path, 0o555);
      },
      async [Symbol.asyncDispose]() {
        await Deno.chmod(path, 0o755);
        await Deno.remove(path, { recursive: true });
      },
    };
  }
  if (!await mount("-t", "tmpfs", "none", path)) {
    await Deno.remove(path);
    return undefined;
  }
  return {
    path,
    async lock() {
      assert(await mount("-o", "remount,ro", path));
    },
    async [Symbol.asyncDispose]() {
      await new Deno.Command("umount", { args: [path] }).output();
      await Deno.remove(path);
    },
  };
}

async function canLock(): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  await using dir = await lockableDir();
  return dir !== undefined;
}

const lockable = await canLock();
if (!lockable) {
  console.warn(
    "Tests of files that cannot be written are ignored: root may write every file, and may not mount",
  );
}

/** Registers a test on each driver, ignored where no file can be locked. */
export function testOnLockable(
  name: string,
  fn: (driver: TestDriver, dir: LockableDir) => Promise<void>,
): void {
  for (const driver of drivers) {
    const register = lockable ? driver.test : Deno.test.ignore;
    register(`${name} [${driver.name}]`, async () => {
      await using dir = await lockableDir();
      assert(dir);
      await fn(driver, dir);
    });
  }
}
