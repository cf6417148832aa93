/**
 * Runs the conformance suite on the remote engine.
 *
 * @module
 */
import { testStore } from "../../src/testing/mod.ts";
import { openRemoteStore } from "../support/remote/open_remote_store.ts";

/** The suite writes more at once than a server with limits takes. */
const limits = {
  nameBytes: Infinity,
  valueBytes: Infinity,
  changes: Infinity,
  shared: 20,
};

testStore({
  name: "remote",
  open: (options) => openRemoteStore({ longest: 1, limits, ...options }),
});
