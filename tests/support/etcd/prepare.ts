/**
 * Prints which etcd the tests will use, and downloads or builds it if necessary.
 * Fails if no etcd is available.
 *
 * @module
 */
import { findEtcd } from "./find_etcd.ts";

const etcd = await findEtcd();
console.log(
  "etcd:",
  "reason" in etcd
    ? `none, ${etcd.reason}`
    : `${etcd.version}, ${etcd.program}`,
);
if ("reason" in etcd) Deno.exit(1);
