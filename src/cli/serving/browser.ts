/**
 * The user's browser.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { isGranted } from "../permissions.ts";

/** The program of each system that opens a URL, and the arguments before the URL. */
const OPENERS: Partial<
  Record<typeof Deno.build.os, readonly [string, ...string[]]>
> = {
  darwin: ["open"],
  windows: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Opens a URL in the browser. Throws `UsageError` if it cannot. The URL is printed already. */
export async function openBrowser(url: string): Promise<void> {
  const [program, ...args] = OPENERS[Deno.build.os] ?? ["xdg-open"];
  if (!await isGranted({ name: "run", command: program })) {
    throw new UsageError(
      `Cannot open the browser: the permission is missing; run deno with --allow-run=${program}, or leave --open out`,
    );
  }
  try {
    const { success } = await new Deno.Command(program, {
      args: [...args, url],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn().status;
    if (success) return;
  } catch {
    // There is no such program.
  }
  throw new UsageError(
    `Cannot open the browser: ${program} failed; leave --open out, and open the URL yourself`,
  );
}
