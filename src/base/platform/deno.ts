/**
 * The platform on Deno. It never prompts the user for a permission, and loads no
 * module of Node.js, which takes 10 ms when a program starts.
 *
 * @module
 */
import type {
  InspectOptions,
  LockableFile,
  Platform,
  SyncedFile,
  WatchedEvent,
} from "./platform.ts";

/** Deno. */
export const deno: Platform = {
  name: "Deno",
  get isWindows() {
    return Deno.build.os === "windows";
  },
  get processId() {
    return Deno.pid;
  },
  currentFolder: () => Deno.cwd(),
  inspect: (value, { depth, textLength }: InspectOptions = {}) =>
    Deno.inspect(value, { depth, strAbbreviateSize: textLength }),
  inspectProperties: (view) =>
    Deno.inspect(view, { iterableLimit: 0, depth: 0, showHidden: true }),

  unrefTimer: (timer) => Deno.unrefTimer(timer),
  // Deno closes the databases of node:sqlite when a program ends by itself, but
  // not when it calls `Deno.exit`.
  endWithoutClosing: () => addEventListener("unload", () => Deno.exit()),

  mayUseEnvironment() {
    const { state, partial } = Deno.permissions.querySync({ name: "env" });
    return state === "granted" && !partial;
  },
  variable(name) {
    const { state } = Deno.permissions.querySync({
      name: "env",
      variable: name,
    });
    return state === "granted" ? Deno.env.get(name) : undefined;
  },
  variables: () => Deno.env.toObject(),
  setVariable(name, value) {
    if (value === undefined) Deno.env.delete(name);
    else Deno.env.set(name, value);
  },

  mayRead: (path) => mayUse("read", path),
  mayWrite: (path) => mayUse("write", path),
  statSync: (path) => Deno.statSync(path),
  lstat: (path) => Deno.lstat(path),
  realPathSync: (path) => Deno.realPathSync(path),
  readLinkSync: (path) => Deno.readLinkSync(path),
  readEndSync,
  async createFile(path, mode) {
    const file = await Deno.open(path, { write: true, createNew: true, mode });
    file.close();
  },
  openFile: (path) => Deno.open(path, { read: true, write: true }),
  async openFolder(path): Promise<SyncedFile | undefined> {
    return deno.isWindows ? undefined : await Deno.open(path);
  },
  openToLock,
  chmod: (path, mode) => Deno.chmod(path, mode),
  rename: (from, to) => Deno.rename(from, to),
  link: (path, other) => Deno.link(path, other),
  remove: (path) => Deno.remove(path),
  removeSync: (path) => Deno.removeSync(path),
  watchFile,
};

function mayUse(name: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name, path }).state === "granted";
}

function readEndSync(path: string, bytes: number): Uint8Array {
  const end = new Uint8Array(bytes);
  const file = Deno.openSync(path);
  try {
    file.seekSync(-bytes, Deno.SeekMode.End);
    file.readSync(end);
    return end;
  } finally {
    file.close();
  }
}

function openToLock(
  path: string,
  { create } = { create: false },
): LockableFile | undefined {
  // On Windows, a lock would block other readers.
  if (deno.isWindows) return undefined;
  if (!deno.mayRead(path) || create && !deno.mayWrite(path)) return undefined;
  try {
    return Deno.openSync(path, { read: true, write: create, create });
  } catch {
    return undefined;
  }
}

function watchFile(
  path: string,
  onEvent: (event: WatchedEvent) => void,
): () => void {
  const events = Deno.watchFs(path);
  let isOpen = true;
  const close = () => {
    if (isOpen) events.close();
    isOpen = false;
  };
  const follow = async () => {
    try {
      for await (const { kind } of events) {
        if (!isOpen) return;
        if (kind === "remove") break;
        if (kind !== "access") onEvent("write");
      }
    } catch {
      // A failure ends the watch, like a removal.
    }
    if (!isOpen) return;
    close();
    onEvent("end");
  };
  follow();
  return close;
}
