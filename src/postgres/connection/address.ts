/**
 * The address of a server. The invariant: nothing that is printed contains a
 * password.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import { describe } from "../../base/messages.ts";
import { StoreOpenError } from "../../contract/errors.ts";

/** The address of a server. */
export interface Address {
  /** The name for messages, without a password. */
  readonly name: string;
  /** The URL for the client. Absent if the environment has the address. */
  readonly url?: string;
}

/** The environment variables with the address of a server. */
const VARIABLES = ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER"];

/** An example of a URL, for messages. */
const SHAPE = "postgres://user:password@host:port/database";

/** Reads a URL. Throws a `TypeError` that does not quote it. */
export function addressOf(
  action: string,
  name: string,
  value: unknown,
): Address {
  if (typeof value !== "string" && !(value instanceof URL)) {
    throw new TypeError(
      `Cannot ${action}: "${name}" must be a URL such as ${SHAPE}, received ${
        describe(value)
      }`,
    );
  }
  const url = parse(String(value));
  if (!url) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is not a URL such as ${SHAPE}; percent-encode characters such as "@", "/" and "%" in a password`,
    );
  }
  return { name: nameOf(url), url: String(value) };
}

function parse(text: string): URL | undefined {
  // The host may be missing: then the parameter "host" has it, for example the
  // folder of a socket.
  const url = URL.parse(text) ??
    URL.parse(text.replace(/^(\w+:\/\/(?:[^/@]*@)?)\//, "$1localhost/"));
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) return undefined;
  return hasLostPassword(url) ? undefined : url;
}

/** The parameters whose values may contain an "@". */
const MAY_HAVE_AT = new Set(["user", "password", "application_name"]);

/** Whether a "/", "?" or "#" in the password has ended the host, because an "@" comes later. */
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

/** The address from the environment. Throws `StoreOpenError` if it has none. */
export function addressOfEnvironment(): Address {
  const name = describeEnvironment(
    Object.fromEntries(VARIABLES.map((name) => [name, variable(name)])),
  );
  if (name !== undefined) return { name };
  throw new StoreOpenError(
    `Cannot open store: no server is given; give "url", such as ${SHAPE}, or set variables such as PGHOST and run deno with --allow-env`,
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
