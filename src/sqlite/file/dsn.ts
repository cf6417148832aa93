/**
 * Reads the `path` option: a path, a `file:` URL, or a data source name as for
 * the Go store (https://sqlite.org/uri.html). It also reads the path of a new
 * file, which is a path or a `file:` URL.
 *
 * @module
 */
import { quoteText } from "../../base/messages.ts";
import { platform } from "../../base/platform.ts";
import { StoreError, StoreOpenError } from "../../contract/errors.ts";
import type { DatabaseLocation } from "../driver/driver.ts";

const MODES = ["ro", "rw", "rwc", "memory"];
const CACHES = ["shared", "private"];

/** The error for a text that does not name a suitable database. */
type Refuse = (reason: string, options?: ErrorOptions) => StoreError;

/**
 * The location that a DSN names. An unknown parameter is an error.
 *
 * For a database in memory, `cache=shared` means that all stores of this
 * process that name it share it. For a file it is accepted, but has no effect:
 * a store has one connection, so there are no caches to share.
 */
export function parseDsn(dsn: string | URL): DatabaseLocation {
  const text = textOf("open store", dsn);
  const refuse: Refuse = (reason, options) =>
    new StoreOpenError(
      `Cannot open store at ${platform.inspect(text)}: ${reason}`,
      options,
    );
  if (text === "" || text.includes("\0")) {
    throw refuse("expected a path, a file: URL or a DSN");
  }
  if (text === ":memory:") {
    return { path: text, mode: "rwc", memory: "private" };
  }
  if (dsn instanceof URL && dsn.protocol !== "file:") {
    throw refuse("expected a file: URL");
  }
  return text.startsWith("file:")
    ? parseUri(text, refuse)
    : { path: text, mode: "rwc" };
}

/**
 * The DSN of a file, which `parseDsn` reads back, for any path. It escapes the
 * characters with a meaning in URIs.
 */
export function fileDsn({ path, mode }: DatabaseLocation): string {
  const escaped = path.replace(/[%?#]|^\/(?=\/)/g, encodeURIComponent);
  return `file:${escaped}?mode=${mode}`;
}

/** The path of a new file, from a path or a `file:` URL. Other parts of a DSN have no meaning here. */
export function parseFilePath(action: string, path: string | URL): string {
  const text = textOf(action, path);
  const refuse: Refuse = (reason, options) =>
    new StoreError(
      "STORAGE",
      `Cannot ${action} to ${quoteText(text)}: ${reason}`,
      options,
    );
  const isUri = text.startsWith("file:");
  if (text === "" || text.includes("\0") || text === ":memory:") {
    throw refuse("expected the path of a file, or a file: URL");
  }
  if (path instanceof URL && !isUri) throw refuse("expected a file: URL");
  if (!isUri) return text;
  const { hierarchy, query } = partsOf(text);
  if (query !== undefined) {
    throw refuse(
      `it has the parameters ${
        quoteText(query)
      }, which have no meaning here; leave them out`,
    );
  }
  const found = uriPath(hierarchy, refuse);
  if (found === ":memory:") throw refuse("expected the path of a file");
  return found;
}

function textOf(action: string, path: string | URL): string {
  const text = path instanceof URL ? path.href : path;
  if (typeof text === "string") return text;
  throw new TypeError(
    `Cannot ${action}: "path" must be a string or a URL, received ${
      platform.inspect(path)
    }`,
  );
}

function parseUri(uri: string, refuse: Refuse): DatabaseLocation {
  const { hierarchy, query = "" } = partsOf(uri);
  const path = uriPath(hierarchy, refuse);
  const { mode, cache } = parameters(query, refuse);
  if (path === ":memory:" || mode === "memory") {
    if (mode === "ro") {
      throw refuse("a new database in memory has nothing to read");
    }
    return {
      path,
      mode: "rwc",
      memory: cache === "shared" ? "shared" : "private",
    };
  }
  return { path, mode: (mode ?? "rwc") as DatabaseLocation["mode"] };
}

/** A `file:` URI's path, still encoded, and its parameters, if there are any. */
function partsOf(uri: string): { hierarchy: string; query?: string } {
  const [beforeFragment] = uri.split("#", 1);
  const queryAt = beforeFragment.indexOf("?");
  const end = queryAt < 0 ? beforeFragment.length : queryAt;
  return {
    hierarchy: beforeFragment.slice("file:".length, end),
    query: queryAt < 0 ? undefined : beforeFragment.slice(queryAt + 1),
  };
}

function uriPath(encoded: string, refuse: Refuse): string {
  const local = encoded.replace(/^\/\/(localhost)?(?=\/)/, "");
  if (local.startsWith("//")) throw refuse("the file is on another host");
  let path: string;
  try {
    path = decodeURIComponent(local);
  } catch (cause) {
    throw refuse("a percent escape is malformed", { cause });
  }
  if (path === "") throw refuse("it has no path");
  if (path.includes("\0")) throw refuse("its path contains a NUL");
  // file:///C:/app.db
  return platform.isWindows ? path.replace(/^\/(?=\w:)/, "") : path;
}

function parameters(
  query: string,
  refuse: Refuse,
): { mode?: string; cache?: string } {
  const allowed: Record<string, string[]> = { mode: MODES, cache: CACHES };
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!Object.hasOwn(allowed, name)) {
      throw refuse(
        `unknown parameter "${name}"; known are mode and cache; all other settings are options of openStore`,
      );
    }
    if (!allowed[name].includes(value)) {
      throw refuse(
        `parameter "${name}" must be one of ${
          allowed[name].join(", ")
        }, received "${value}"`,
      );
    }
    if (Object.hasOwn(found, name)) {
      throw refuse(`parameter "${name}" comes twice`);
    }
    found[name] = value;
  }
  return found;
}
