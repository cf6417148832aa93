/**
 * Runs the conformance suite on the remote engine.
 *
 * @module
 */
import { type TestFunction, testStore } from "../../src/testing/mod.ts";
import { openRemoteStore } from "../support/remote/open_remote_store.ts";
import { UNLIMITED } from "../support/remote/protocol.ts";

/** What a server cannot do, or may do otherwise, by the tests' names. */
const LACKS: readonly RegExp[] = [
  // It has no `verify`.
  /\bcheck\b/,
  /import writes what export wrote/,
  /import creates with the line's version/,
  /import keeps a time to the millisecond/,
  /version at the end of safe integers/,
  /no write makes a version that cannot be read/,
  /past the last version/,
  /an abort after the operation changes nothing/,
  // It decides before it knows whether the checks hold.
  /equals: is not asked where the version is another/,
  // A read may see writes that were called after it.
  /a long read is of one moment, and in its place among the writes/,
];

const register = (name: string, fn: () => Promise<void>) => {
  const isLacking = LACKS.some((lack) => lack.test(name));
  return isLacking ? Deno.test.ignore(name, fn) : Deno.test(name, fn);
};

const test: TestFunction = Object.assign(register, {
  ignore: (name: string, fn: () => Promise<void>) => Deno.test.ignore(name, fn),
});

testStore({
  name: "remote",
  open: (options) =>
    openRemoteStore({ longest: 1, limits: UNLIMITED, ...options }),
  test,
});

testStore({
  name: "remote, cut",
  open: (options) =>
    openRemoteStore({ longest: 0, cuts: 0.2, limits: UNLIMITED, ...options }),
  test,
});
