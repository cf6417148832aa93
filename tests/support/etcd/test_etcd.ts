/**
 * Registers tests on the shared etcd, and tests that start their own servers. If
 * no etcd is available, they are ignored, with the reason in the name. With
 * `ZESTOR_REQUIRE_ETCD=1` they fail instead.
 *
 * @module
 */
import { testsThatNeed } from "../postgres/needs.ts";
import { type EtcdProgram, findEtcd } from "./find_etcd.ts";
import { type SharedEtcd, sharedEtcd } from "./shared.ts";

const isRequired = Deno.env.get("ZESTOR_REQUIRE_ETCD") === "1";

/** Registers a test on the shared server. */
export const testEtcd = testsThatNeed<SharedEtcd>(
  "an etcd",
  await sharedEtcd(),
  { isRequired },
);

/** Registers a test that starts servers. */
export const testEtcdServer = testsThatNeed<EtcdProgram>(
  "the program etcd",
  await findEtcd(),
  { isRequired },
);

let names = 0;

/** A prefix that no other store of the server has. */
export function freshPrefix(): string {
  const random = crypto.randomUUID().slice(0, 8);
  return `zt/${Deno.pid}-${random}-${++names}/`;
}
