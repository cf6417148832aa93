/**
 * The package on Node.js, as npm users get it from JSR.
 *
 * @module
 */
import { runtimeOf } from "../support/platforms/runtimes.ts";
import { testRuntime } from "../support/platforms/tests.ts";

testRuntime(await runtimeOf("node"), "Node.js");
