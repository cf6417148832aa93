/**
 * A file of tests that need etcd, for a test of `test_etcd.ts`.
 *
 * @module
 */
import { testEtcd, testEtcdServer } from "./test_etcd.ts";

testEtcd("needs an etcd that runs", () => {});
testEtcdServer("needs the program", () => {});
