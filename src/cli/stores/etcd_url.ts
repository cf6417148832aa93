/**
 * The URL of a store in etcd, as a command line has it:
 * `etcd://user:password@host:port,host:port/prefix`, and `etcds://` for TLS. The
 * parameter `ca` is the path of a file with certificates, as PEM.
 *
 * @module
 */
import { UsageError } from "../errors.ts";

/** The port of a member that names none. */
const DEFAULT_PORT = "2379";

/** What a URL says. */
export interface EtcdUrl {
  readonly endpoints: readonly string[];
  /** Absent for the default one. */
  readonly prefix?: string;
  readonly username?: string;
  readonly password?: string;
  /** The path of a file. */
  readonly ca?: string;
}

/** Whether a text is the URL of a store in etcd. */
export function isEtcdUrl(text: string): boolean {
  return /^etcds?:\/\//i.test(text);
}

/** Reads a URL. Throws `UsageError`, which does not quote it: it may have a password. */
export function readEtcdUrl(url: string): EtcdUrl {
  const [, scheme, , user, hosts, path = "", query = ""] =
    /^(etcds?):\/\/((.*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i
      .exec(url) ?? [];
  if (hosts === undefined) throw malformed();
  const http = scheme.toLowerCase() === "etcds" ? "https" : "http";
  const endpoints = hosts.split(",").map((host) => endpointOf(http, host));
  const ca = new URLSearchParams(query).get("ca") ?? undefined;
  return {
    endpoints,
    ...(path === "" ? {} : { prefix: decode(path) }),
    ...(user === undefined ? {} : credentialsOf(user)),
    ...(ca === undefined ? {} : { ca }),
  };
}

function endpointOf(http: string, host: string): string {
  const parsed = URL.parse(`${http}://${host}`);
  if (!parsed || host === "") throw malformed();
  const hasPort = /:\d+$/.test(host);
  return `${http}://${host}${hasPort ? "" : `:${DEFAULT_PORT}`}`;
}

function credentialsOf(user: string): { username: string; password: string } {
  const at = user.indexOf(":");
  if (at < 0) throw malformed();
  return {
    username: decode(user.slice(0, at)),
    password: decode(user.slice(at + 1)),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed();
  }
}

function malformed(): UsageError {
  return new UsageError(
    'Cannot open store: --db is no URL such as etcd://user:password@host:2379,host:2379/prefix; characters such as "@", "/" and "%" in a password are percent-encoded',
  );
}
