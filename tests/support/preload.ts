/**
 * Runs before each file of tests: loads the native library, which stays for as
 * long as the process. A test that was the first to need it would seem to leak
 * it.
 *
 * @module
 */
import { loadDriver } from "../../src/sqlite/driver/load.ts";

await loadDriver("auto");
