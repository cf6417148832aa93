/**
 * Reads the URL of a store in etcd from a command line:
 * `etcd://user:password@host:port,host:port/prefix`, or `etcds://` with TLS. The
 * parameter `ca` is the path of a PEM file with certificates.
 *
 * @module
 */
import { UsageError } from "../errors.ts";

/** The default port of a member. */
const DEFAULT_PORT = "2379";

/** The parts of a URL. */
export interface EtcdUrl {
  readonly endpoints: readonly string[];
  /** Absent: the default prefix. */
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

/** Reads a URL. Throws `UsageError` without the URL, because that may contain a password. */
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
    'Cannot open store: expected --db as a URL such as etcd://user:password@host:2379,host:2379/prefix; percent-encode characters such as "@", "/" and "%" in a password',
  );
}
