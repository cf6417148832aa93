/**
 * Functions for file paths. On Windows, they are those of `node:path`. On other
 * systems they are implemented here, because loading that module costs a
 * program 10 ms at its start.
 *
 * @module
 */

import { platform } from "./platform.ts";

/** The functions of `node:path` that are used. */
export interface Paths {
  /** Whether a path is absolute. */
  isAbsolute(path: string): boolean;
  /** A path without its last part. */
  dirname(path: string): string;
  /** The last part of a path. */
  basename(path: string): string;
  /**
   * Joins several parts to one path, and resolves "." and ".." in it if
   * possible.
   */
  join(...parts: string[]): string;
  /** The same, as an absolute path. Throws if there is no current directory. */
  resolve(path: string): string;
}

/**
 * The functions of all systems except Windows. Their results do not end with a
 * slash.
 */
export const posix: Paths = {
  isAbsolute: (path) => path.startsWith("/"),
  dirname: (path) => /^(.*[^/])\/+[^/]+\/*$/s.exec(path)?.[1] ?? rootOf(path),
  basename: (path) => /[^/]*(?=\/*$)/.exec(path)![0],
  join: (...parts) => shortest(parts.filter((part) => part !== "").join("/")),
  resolve: (path) =>
    shortest(path[0] === "/" ? path : `${platform.currentFolder()}/${path}`),
};

function rootOf(path: string): string {
  return path.startsWith("/") ? "/" : ".";
}

function shortest(path: string): string {
  const root = path.startsWith("/") ? "/" : "";
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.length > 0 && names.at(-1) !== "..") names.pop();
    else if (root === "") names.push(name);
  }
  return root + names.join("/") || ".";
}

/** The functions for this system. */
export const { isAbsolute, dirname, basename, join, resolve } =
  platform.isWindows ? await import("node:path") : posix;
