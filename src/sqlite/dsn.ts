/**
 * Reads the `path` option: a path, a `file:` URL, or a data source name as the
 * Go store takes them (https://sqlite.org/uri.html).
 *
 * @module
 */
import { StoreOpenError } from "../errors.ts";
import type { Location } from "./driver/driver.ts";

const MODES = ["ro", "rw", "rwc", "memory"];
const CACHES = ["shared", "private"];

/**
 * Where a DSN points. An unknown parameter is an error, never ignored.
 *
 * `cache=shared` says for a database in memory that the stores of this process
 * which name it share it. For a file it changes nothing, and is accepted: a
 * store has one connection, so there are no caches to share.
 */
export function parseDsn(dsn: string | URL): Location {
  const text = dsn instanceof URL ? dsn.href : dsn;
  if (typeof text !== "string") {
    throw new TypeError(
      `Cannot open store: "path" is a string or a URL, received ${
        Deno.inspect(dsn)
      }`,
    );
  }
  if (text === "" || text.includes("\0")) {
    throw refused(text, "expected a path, a file: URL or a DSN");
  }
  if (text === ":memory:") {
    return { path: text, mode: "rwc", memory: "private" };
  }
  if (dsn instanceof URL && dsn.protocol !== "file:") {
    throw refused(text, "expected a file: URL");
  }
  return text.startsWith("file:")
    ? parseUri(text)
    : { path: text, mode: "rwc" };
}

/**
 * A DSN of a file, which `parseDsn` reads back: whatever its path holds. All
 * that is escaped is what a URI would take for something else.
 */
export function fileDsn({ path, mode }: Location): string {
  const escaped = path.replace(/[%?#]|^\/(?=\/)/g, encodeURIComponent);
  return `file:${escaped}?mode=${mode}`;
}

function parseUri(uri: string): Location {
  const [beforeFragment] = uri.split("#", 1);
  const queryAt = beforeFragment.indexOf("?");
  const hierarchy = queryAt < 0
    ? beforeFragment
    : beforeFragment.slice(0, queryAt);
  const query = queryAt < 0 ? "" : beforeFragment.slice(queryAt + 1);

  const path = uriPath(uri, hierarchy.slice("file:".length));
  const { mode, cache } = parameters(uri, query);
  if (path === ":memory:" || mode === "memory") {
    if (mode === "ro") throw refused(uri, "nothing is in memory to be read");
    return {
      path,
      mode: "rwc",
      memory: cache === "shared" ? "shared" : "private",
    };
  }
  return { path, mode: (mode ?? "rwc") as Location["mode"] };
}

function uriPath(uri: string, encoded: string): string {
  const local = encoded.replace(/^\/\/(localhost)?(?=\/)/, "");
  if (local.startsWith("//")) throw refused(uri, "the file is on another host");
  let path: string;
  try {
    path = decodeURIComponent(local);
  } catch (cause) {
    throw refused(uri, "a percent escape is malformed", { cause });
  }
  if (path === "") throw refused(uri, "it has no path");
  if (path.includes("\0")) throw refused(uri, "its path holds a NUL");
  // file:///C:/app.db
  return Deno.build.os === "windows" ? path.replace(/^\/(?=\w:)/, "") : path;
}

function parameters(
  uri: string,
  query: string,
): { mode?: string; cache?: string } {
  const allowed: Record<string, string[]> = { mode: MODES, cache: CACHES };
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!Object.hasOwn(allowed, name)) {
      throw refused(
        uri,
        `unknown parameter "${name}"; known are mode and cache, what else there is to set is an option of openStore`,
      );
    }
    if (!allowed[name].includes(value)) {
      throw refused(
        uri,
        `parameter "${name}" is one of ${
          allowed[name].join(", ")
        }, received "${value}"`,
      );
    }
    if (Object.hasOwn(found, name)) {
      throw refused(uri, `parameter "${name}" comes twice`);
    }
    found[name] = value;
  }
  return found;
}

function refused(
  dsn: unknown,
  reason: string,
  options?: ErrorOptions,
): StoreOpenError {
  return new StoreOpenError(
    `Cannot open store at ${Deno.inspect(dsn)}: ${reason}`,
    options,
  );
}
