/**
 * Where a server is. The invariant: nothing that is printed has a password.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import { describe } from "../../base/messages.ts";
import { StoreOpenError } from "../../contract/errors.ts";

/** Where a server is. */
export interface Address {
  /** For messages: without a password. */
  readonly name: string;
  /** As the client takes it; absent if the environment tells. */
  readonly url?: string;
}

/** The variables of the environment that tell where a server is. */
const VARIABLES = ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER"];

/** What a URL looks like, for messages. */
const SHAPE = "postgres://user:password@host:port/database";

/** Reads a URL; throws a `TypeError` that does not quote it. */
export function addressOf(
  action: string,
  name: string,
  value: unknown,
): Address {
  if (typeof value !== "string" && !(value instanceof URL)) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is a URL such as ${SHAPE}, received ${
        describe(value)
      }`,
    );
  }
  const url = parse(String(value));
  if (!url) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is no URL such as ${SHAPE}; characters such as "@", "/" and "%" in a password are percent-encoded`,
    );
  }
  return { name: nameOf(url), url: String(value) };
}

function parse(text: string): URL | undefined {
  // A host may be missing: the parameter "host" has it then, such as a socket's folder.
  const url = URL.parse(text) ??
    URL.parse(text.replace(/^(\w+:\/\/(?:[^/@]*@)?)\//, "$1localhost/"));
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) return undefined;
  return hasLostPassword(url) ? undefined : url;
}

/** The parameters whose values may have an "@". */
const MAY_HAVE_AT = new Set(["user", "password", "application_name"]);

/** Whether a "/", "?" or "#" in the password has ended the host: the "@" came later. */
function hasLostPassword({ pathname, searchParams, hash }: URL): boolean {
  if (pathname.includes("@") || hash.includes("@")) return true;
  return [...searchParams].some(([name, value]) =>
    !MAY_HAVE_AT.has(name) && `${name}${value}`.includes("@")
  );
}

/** A URL for messages. */
function nameOf(url: URL): string {
  const user = url.username ? `${url.username}@` : "";
  const host = url.searchParams.get("host") ?? url.host;
  return `postgres://${user}${host}${url.pathname}`;
}

/** The address that the environment tells. Throws `StoreOpenError` if it tells none. */
export function addressOfEnvironment(): Address {
  const name = describeEnvironment(
    Object.fromEntries(VARIABLES.map((name) => [name, variable(name)])),
  );
  if (name !== undefined) return { name };
  throw new StoreOpenError(
    `Cannot open store: there is no server; give "url", such as ${SHAPE}, or set PGHOST and its like, and run deno with --allow-env`,
  );
}

function describeEnvironment(
  { PGHOST, PGPORT, PGDATABASE, PGUSER }: Record<
    string,
    string | undefined
  >,
): string | undefined {
  if (PGHOST === undefined && PGDATABASE === undefined) return undefined;
  const user = PGUSER ? `${PGUSER}@` : "";
  const port = PGPORT ? `:${PGPORT}` : "";
  return `postgres://${user}${PGHOST ?? "localhost"}${port}/${
    PGDATABASE ?? PGUSER ?? ""
  }`;
}

function variable(name: string): string | undefined {
  return platform.variable(name);
}
