/**
 * The paths of files. On Windows these are the functions of `node:path`. On the
 * other systems they are here, because to load that module takes a program 10 ms
 * at its start.
 *
 * @module
 */

import { platform } from "./platform.ts";

/** What is used of `node:path`. */
export interface Paths {
  /** Whether a path does not depend on the current directory. */
  isAbsolute(path: string): boolean;
  /** A path without its last name. */
  dirname(path: string): string;
  /** The last name of a path. */
  basename(path: string): string;
  /** One path of several parts, without "." and as few ".." as possible. */
  join(...parts: string[]): string;
  /** The same, made absolute. Throws if there is no current directory. */
  resolve(path: string): string;
}

/** The paths of every system but Windows. They do not end with a slash. */
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

/** The functions of this system. */
export const { isAbsolute, dirname, basename, join, resolve } =
  platform.isWindows ? await import("node:path") : posix;
