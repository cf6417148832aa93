/**
 * The package on Bun, as npm users get it from JSR.
 *
 * @module
 */
import { runtimeOf } from "../support/platforms/runtimes.ts";
import { testRuntime } from "../support/platforms/tests.ts";

testRuntime(await runtimeOf("bun"), "Bun");
