/**
 * Fails with a clear message if the command runs in another runtime than Deno. It
 * is imported before the code that calls Deno.
 *
 * @module
 */
import { isDeno, platform } from "../base/platform.ts";

if (!isDeno) {
  throw new Error(
    `Cannot run the command zestor in ${platform.name}: it needs Deno; install Deno, then run "deno run -A jsr:@zestor/store/cli"`,
  );
}
