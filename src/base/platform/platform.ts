/**
 * The functions of the runtime that the package uses. One implementation is for
 * Deno, the other for Node.js and Bun. In both, an error of the file system has
 * the `code` of Node.js, such as "ENOENT".
 *
 * @module
 */

/** The name of the runtime. */
export type RuntimeName = "Deno" | "Node.js" | "Bun";

/** The status of a file. `null` means that the system does not know. */
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
  /** Waits until the written data is on the disk. */
  sync(): Promise<void>;
  /** Closes it. */
  close(): void;
}

/** A file that is open to be locked with flock(2). */
export interface LockableFile {
  /** Tries to take a lock. Returns false if another open file has a conflicting lock. */
  tryLockSync(exclusive: boolean): boolean;
  /** Closes it, and releases its lock. */
  close(): void;
}

/** How a value is shown in a message. */
export interface InspectOptions {
  /** How many levels of objects are shown. */
  readonly depth?: number;
  /** How many characters of a text are shown. */
  readonly textLength?: number;
}

/** The event of a watched file: a write, or the end of the watch. */
export type WatchedEvent = "write" | "end";

/** The runtime, and the operating system below it. */
export interface Platform {
  readonly name: RuntimeName;
  readonly isWindows: boolean;
  readonly processId: number;
  /** The absolute path of the current directory. Throws if the directory was removed. */
  currentFolder(): string;
  /** A value as text. It may call getters, which may throw. */
  inspect(value: unknown, options?: InspectOptions): string;
  /** A buffer's view as text: one line for each property, without its elements. */
  inspectProperties(view: ArrayBufferView): string;

  /** Lets the process end while the timer runs. */
  unrefTimer(timer: ReturnType<typeof setTimeout>): void;
  /** Makes the process end without closing its open databases. */
  endWithoutClosing(): void;

  /** Whether all variables of the environment can be read and set without a prompt for a permission. */
  mayUseEnvironment(): boolean;
  /** A variable of the environment; `undefined` also if it may not be read. */
  variable(name: string): string | undefined;
  /** All variables of the environment. */
  variables(): Record<string, string>;
  /** Sets a variable of the environment, or removes it. */
  setVariable(name: string, value: string | undefined): void;

  /** Whether a file may be read without a prompt for a permission. */
  mayRead(path: string): boolean;
  /** Whether a file may be written without a prompt for a permission. */
  mayWrite(path: string): boolean;
  /** The status of the file at a path. It follows symbolic links. */
  statSync(path: string): FileStatus;
  /** The status of the file at a path. It does not follow symbolic links. */
  lstat(path: string): Promise<FileStatus>;
  /** The absolute path with all symbolic links followed. */
  realPathSync(path: string): string;
  /** The target of a symbolic link. */
  readLinkSync(path: string): string;
  /** The last bytes of a file, which must have at least this many. */
  readEndSync(path: string, bytes: number): Uint8Array;
  /** Creates an empty file. Rejects with the code "EEXIST" if the path is taken. */
  createFile(path: string, mode?: number): Promise<void>;
  /** Opens a file to sync it. */
  openFile(path: string): Promise<SyncedFile>;
  /** Opens a directory to sync it; `undefined` on a system that cannot open directories. */
  openFolder(path: string): Promise<SyncedFile | undefined>;
  /**
   * Opens a file to lock it; `undefined` if it cannot be opened or locked.
   * `create` creates a missing file.
   */
  openToLock(
    path: string,
    options?: { create: boolean },
  ): LockableFile | undefined;
  /** Sets the permissions of a file. */
  chmod(path: string, mode: number): Promise<void>;
  /** Renames a file. It replaces a file at the new path. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second path. Rejects with the code "EEXIST" if the path is taken. */
  link(path: string, other: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Removes a file synchronously. */
  removeSync(path: string): void;
  /**
   * Calls `onEvent` when a file is written, until the returned function is called.
   * It keeps the process running. Throws if the system has no notifications for
   * the file.
   */
  watchFile(path: string, onEvent: (event: WatchedEvent) => void): () => void;
}
