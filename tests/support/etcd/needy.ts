/**
 * Tests that need etcd. `finding_test.ts` runs them to test `test_etcd.ts`.
 *
 * @module
 */
import { testEtcd, testEtcdServer } from "./test_etcd.ts";

testEtcd("needs an etcd that runs", () => {});
testEtcdServer("needs the program", () => {});
