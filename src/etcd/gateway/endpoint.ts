/**
 * Reads the URLs of a cluster's members.
 *
 * @module
 */
import { describe } from "../../base/messages.ts";

/** An example of an endpoint, for messages. */
const SHAPE = "https://etcd-1.example.com:2379";

/** Reads one endpoint or a list. Throws a `TypeError`, whose message never quotes a password. */
export function endpointsOf(
  action: string,
  name: string,
  value: unknown,
): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is an empty list; give the URL of at least one member, such as ${SHAPE}`,
    );
  }
  return list.map((item) => endpointOf(action, name, item));
}

function endpointOf(action: string, name: string, value: unknown): string {
  if (typeof value !== "string" && !(value instanceof URL)) {
    throw new TypeError(
      `Cannot ${action}: "${name}" must be a URL such as ${SHAPE}, or a list of URLs, received ${
        describe(value)
      }`,
    );
  }
  const url = URL.parse(String(value));
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is not a URL such as ${SHAPE}`,
    );
  }
  if (url.username || url.password) {
    throw new TypeError(
      `Cannot ${action}: "${name}" contains a user or a password; give "username" and "password" instead`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
