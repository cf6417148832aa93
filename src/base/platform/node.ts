/**
 * The platform on Node.js and Bun. It loads their modules when it first needs
 * them, because Deno loads this file, too.
 *
 * @module
 */
import type {
  FileStatus,
  InspectOptions,
  Platform,
  SyncedFile,
  WatchedEvent,
} from "./platform.ts";

const process = () => globalThis.process;
const fs = () => process().getBuiltinModule("node:fs");
const files = () => process().getBuiltinModule("node:fs/promises");
const util = () => process().getBuiltinModule("node:util");

/** Node.js, and Bun, which has the same modules. */
export const node: Platform = {
  get name() {
    return process().versions.bun === undefined ? "Node.js" : "Bun";
  },
  get isWindows() {
    return process().platform === "win32";
  },
  get processId() {
    return process().pid;
  },
  currentFolder: () => process().cwd(),
  inspect: (value, { depth, textLength }: InspectOptions = {}) =>
    util().inspect(value, { depth, maxStringLength: textLength }),
  inspectProperties: (view) =>
    util().inspect(view, {
      maxArrayLength: 0,
      depth: 0,
      showHidden: true,
      compact: false,
    }),

  unrefTimer: (timer) => unref(timer),
  // Node.js closes the databases of node:sqlite when a program ends by itself,
  // but not when it calls `process.exit`.
  endWithoutClosing() {
    process().on("exit", () => process().exit());
  },

  mayUseEnvironment: () => true,
  variable: (name) => process().env[name],
  variables: () => ({ ...process().env }) as Record<string, string>,
  setVariable(name, value) {
    if (value === undefined) delete process().env[name];
    else process().env[name] = value;
  },

  mayRead: (path) => isPermitted("fs.read", path),
  mayWrite: (path) => isPermitted("fs.write", path),
  statSync: (path) => statusOf(fs().statSync(path)),
  lstat: async (path) => statusOf(await files().lstat(path)),
  realPathSync: (path) => fs().realpathSync.native(path),
  readLinkSync: (path) => fs().readlinkSync(path),
  readEndSync,
  async createFile(path, mode) {
    const file = await files().open(path, "wx", mode);
    await file.close();
  },
  openFile: async (path) => await openToSync(path, "r+"),
  async openFolder(path) {
    return node.isWindows ? undefined : await openToSync(path, "r");
  },
  // Node.js has no flock(2).
  openToLock: () => undefined,
  chmod: (path, mode) => files().chmod(path, mode),
  rename: (from, to) => files().rename(from, to),
  link: (path, other) => files().link(path, other),
  remove: (path) => files().unlink(path),
  removeSync: (path) => fs().unlinkSync(path),
  watchFile,
};

function unref(timer: unknown): void {
  (timer as { unref(): void }).unref();
}

/**
 * Asks the permission model (https://nodejs.org/api/permissions.html). Without
 * it, everything is permitted.
 */
function isPermitted(scope: string, path: string): boolean {
  const { permission } = process() as unknown as {
    permission?: { has(scope: string, path: string): boolean };
  };
  return permission?.has(scope, path) ?? true;
}

/** The part of `fs.Stats` that is used. */
interface Stats
  extends Pick<FileStatus, "size" | "dev" | "mtime" | "ctime" | "birthtime"> {
  readonly mode: number;
  readonly ino: number;
  readonly nlink: number;
  readonly uid: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

function statusOf(stats: Stats): FileStatus {
  const { size, mode, dev, ino, nlink, uid, mtime, ctime, birthtime } = stats;
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isSymlink: stats.isSymbolicLink(),
    isFifo: stats.isFIFO(),
    isSocket: stats.isSocket(),
    size,
    mode,
    dev,
    ino,
    nlink,
    uid,
    mtime,
    ctime,
    // A file system without birth times gives 1970.
    birthtime: birthtime?.getTime() === 0 ? null : birthtime,
  };
}

function readEndSync(path: string, bytes: number): Uint8Array {
  const end = new Uint8Array(bytes);
  const { openSync, fstatSync, readSync, closeSync } = fs();
  const file = openSync(path, "r");
  try {
    readSync(file, end, 0, bytes, fstatSync(file).size - bytes);
    return end;
  } finally {
    closeSync(file);
  }
}

async function openToSync(path: string, flags: string): Promise<SyncedFile> {
  const file = await files().open(path, flags);
  return {
    sync: () => file.sync(),
    close: () => void file.close().catch(() => {}),
  };
}

function watchFile(
  path: string,
  onEvent: (event: WatchedEvent) => void,
): () => void {
  let isOpen = true;
  const close = () => {
    if (isOpen) watcher.close();
    isOpen = false;
  };
  const end = () => {
    if (!isOpen) return;
    close();
    onEvent("end");
  };
  const watcher = fs().watch(path, (kind) => {
    // After a rename or removal, no writes to the file follow.
    if (kind === "rename") end();
    else if (isOpen) onEvent("write");
  });
  watcher.on("error", end);
  return close;
}
