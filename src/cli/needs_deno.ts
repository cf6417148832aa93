/**
 * Says so at once if the command is run by something else than Deno. It is
 * imported before all that asks Deno.
 *
 * @module
 */
import { isDeno, platform } from "../base/platform.ts";

if (!isDeno) {
  throw new Error(
    `Cannot run the command zestor in ${platform.name}: it needs Deno; install Deno, then run "deno run -A jsr:@zestor/store/cli"`,
  );
}
