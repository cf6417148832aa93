/**
 * Runs the conformance suite on the remote engine: on a line that takes its
 * time, and on one that is cut.
 *
 * @module
 */
import { type Supports, testStore } from "../../src/testing/mod.ts";
import { openRemoteStore } from "../support/remote/open_remote_store.ts";
import { LIMITS } from "../support/remote/protocol.ts";

const { nameBytes, valueBytes, changes } = LIMITS;

const supports: Supports = {
  limits: { nameBytes, valueBytes, changes },
  verify: false,
  checksBeforeEquals: false,
};

testStore({
  name: "remote",
  open: (options) => openRemoteStore({ longest: 1, ...options }),
  supports,
});

/** The cases that a line which is cut, and else takes no time, cannot pass. */
const NOT_IF_CUT = [
  // If the reads of a watch are cut, it does not keep up with a log of a few changes.
  "W3 a filter does not make a consumer that keeps up overflow",
  "W3 a watch of several kinds that keeps up never overflows",
  // The server is in this process, and removes a range in one step.
  "C8 a long deleteAll lets the event loop turn",
];

testStore({
  name: "remote, cut",
  open: (options) => openRemoteStore({ longest: 0, cuts: 0.2, ...options }),
  supports,
  test: Object.assign(
    (name: string, fn: () => Promise<void>) =>
      NOT_IF_CUT.some((ignored) => name.endsWith(ignored))
        ? Deno.test.ignore(name, fn)
        : Deno.test(name, fn),
    { ignore: Deno.test.ignore },
  ),
});
