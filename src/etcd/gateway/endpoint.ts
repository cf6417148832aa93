/**
 * Where the members of a cluster are.
 *
 * @module
 */
import { describe } from "../../base/messages.ts";

/** What an endpoint looks like, for messages. */
const SHAPE = "https://etcd-1.example.com:2379";

/** Reads endpoints: one, or a list. Throws a `TypeError` that quotes no password. */
export function endpointsOf(
  action: string,
  name: string,
  value: unknown,
): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is an empty list; give the URL of a member at least, such as ${SHAPE}`,
    );
  }
  return list.map((item) => endpointOf(action, name, item));
}

function endpointOf(action: string, name: string, value: unknown): string {
  if (typeof value !== "string" && !(value instanceof URL)) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is a URL such as ${SHAPE}, or a list of those, received ${
        describe(value)
      }`,
    );
  }
  const url = URL.parse(String(value));
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is no URL such as ${SHAPE}`,
    );
  }
  if (url.username || url.password) {
    throw new TypeError(
      `Cannot ${action}: "${name}" has a user or a password; give "username" and "password"`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
