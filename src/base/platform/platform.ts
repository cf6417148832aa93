/**
 * What the package asks of the program that runs it. One implementation asks
 * Deno, the other asks Node.js, which Bun imitates. An error of the file system
 * has the `code` of Node.js, such as "ENOENT", in both.
 *
 * @module
 */

/** Which runtime it is. */
export type RuntimeName = "Deno" | "Node.js" | "Bun";

/** What a file system tells of a file. `null` means that it cannot tell. */
export interface FileStatus {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
  readonly isFifo: boolean | null;
  readonly isSocket: boolean | null;
  /** In bytes. */
  readonly size: number;
  readonly mode: number | null;
  readonly dev: number;
  readonly ino: number | null;
  readonly nlink: number | null;
  readonly uid: number | null;
  readonly mtime: Date | null;
  readonly ctime: Date | null;
  readonly birthtime: Date | null;
}

/** A file or a directory that is open to be synced. */
export interface SyncedFile {
  /** Waits until what was written is on the disk. */
  sync(): Promise<void>;
  /** Closes it. */
  close(): void;
}

/** A file that is open to be locked, as flock(2) does. */
export interface LockableFile {
  /** Takes a lock, unless another open file has one that is in the way. */
  tryLockSync(exclusive: boolean): boolean;
  /** Closes it, and gives up its lock. */
  close(): void;
}

/** How a value is shown in a message. */
export interface InspectOptions {
  /** How many levels of objects are shown. */
  readonly depth?: number;
  /** How many characters of a text are shown. */
  readonly textLength?: number;
}

/** What happened to a file that is watched: a write, or the end of the watch. */
export type WatchedEvent = "write" | "end";

/** The runtime, and the operating system below it. */
export interface Platform {
  readonly name: RuntimeName;
  readonly isWindows: boolean;
  readonly processId: number;
  /** The absolute path of the current directory. Throws if there is none. */
  currentFolder(): string;
  /** A value as text. It may call getters, which may throw. */
  inspect(value: unknown, options?: InspectOptions): string;
  /** A buffer's view as text: one line for each property, and none for its elements. */
  inspectProperties(view: ArrayBufferView): string;

  /** Lets the process end while the timer runs. */
  unrefTimer(timer: ReturnType<typeof setTimeout>): void;
  /** When the process comes to its end, it ends without closing what is open. */
  endWithoutClosing(): void;

  /** Whether all variables of the environment can be read and set, without asking for a permission. */
  mayUseEnvironment(): boolean;
  /** A variable of the environment; `undefined` also if it may not be read. */
  variable(name: string): string | undefined;
  /** All variables of the environment. */
  variables(): Record<string, string>;
  /** Sets a variable of the environment, or removes it. */
  setVariable(name: string, value: string | undefined): void;

  /** Whether a file may be read, without asking for a permission. */
  mayRead(path: string): boolean;
  /** Whether a file may be written, without asking for a permission. */
  mayWrite(path: string): boolean;
  /** What is at a path, with symbolic links followed. */
  statSync(path: string): FileStatus;
  /** What is at a path, which may be a symbolic link. */
  lstat(path: string): Promise<FileStatus>;
  /** The absolute path with all symbolic links followed. */
  realPathSync(path: string): string;
  /** Where a symbolic link leads to. */
  readLinkSync(path: string): string;
  /** The last bytes of a file, which has so many. */
  readEndSync(path: string, bytes: number): Uint8Array;
  /** Makes an empty file. Rejects with the code "EEXIST" if the path is taken. */
  createFile(path: string, mode?: number): Promise<void>;
  /** Opens a file to sync it. */
  openFile(path: string): Promise<SyncedFile>;
  /** Opens a directory to sync it; `undefined` if the system opens none. */
  openFolder(path: string): Promise<SyncedFile | undefined>;
  /** Opens a file to lock it; `undefined` if it cannot be opened or locked. `create` makes a missing one. */
  openToLock(
    path: string,
    options?: { create: boolean },
  ): LockableFile | undefined;
  /** Sets who may use a file. */
  chmod(path: string, mode: number): Promise<void>;
  /** Gives a file another path, and replaces what is there. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second path. Rejects with the code "EEXIST" if that is taken. */
  link(path: string, other: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** The same, at once. */
  removeSync(path: string): void;
  /**
   * Calls back when a file is written, until the function that it gives is
   * called. It keeps the process running. Throws if there are no notifications.
   */
  watchFile(path: string, onEvent: (event: WatchedEvent) => void): () => void;
}
