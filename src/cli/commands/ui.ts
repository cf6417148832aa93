/**
 * `zestor ui`: shows a store in the browser, live.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, optionName, text } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { type Command, defineCommand } from "../command.ts";
import { openBrowser } from "../serving/browser.ts";
import { assertMayServe, DEFAULT_PORT, serve } from "../serving/serve.ts";

/** The command. */
export const ui: Command = defineCommand({
  name: "ui",
  brief: message`Shows the store in the browser, live.`,
  details:
    message`It serves a page with the entries, their changes as they happen, the store as it was, and its health, and prints the URL to open. The URL has a secret: who has it can read the whole store, and write with ${
      optionName("--write")
    }. The server is for this machine alone, unless --host says otherwise; then the connection is not encrypted. No request leaves the machine. It ends, with exit code 0, when it is interrupted.`,
  example: "zestor ui --db app.db",
  permissions:
    `--allow-net=127.0.0.1:${DEFAULT_PORT} --allow-read=app.db,app.db-wal`,
  parser: () =>
    object({
      port: optional(
        option("--port", integer({ min: 0, max: 65_535, metavar: "PORT" }), {
          description: message`Where to listen: by default ${
            text(String(DEFAULT_PORT))
          }, or any free port if that is taken; 0 for any free port.`,
        }),
      ),
      host: withDefault(
        option("--host", string({ metavar: "HOST" }), {
          description:
            message`The address or name of this machine to listen on; 0.0.0.0 for every address.`,
        }),
        "127.0.0.1",
      ),
      write: option("--write", {
        description: message`Let the page create, edit and delete entries.`,
      }),
      open: option("--open", {
        description: message`Open the page in the browser, too.`,
      }),
    }),
  async run({ openStore, output, signal }, { port, host, write, open }) {
    await assertMayServe(host, port ?? DEFAULT_PORT);
    await using store = await openStore(write ? "write" : "inspect");
    const { inspector } = await import("../../inspector/inspector.ts");
    const inspect = inspector(store, { write, hosts: [host], signal });
    await using server = serve(inspect, { host, port, signal });
    const url = inspect.url(server.url);
    try {
      await output.write(`${url}\n`);
      await output.flush();
      if (open) await openBrowser(url);
      await server.ended;
    } catch (error) {
      // That is how it ends.
      if (!signal.aborted) throw error;
    }
  },
});
