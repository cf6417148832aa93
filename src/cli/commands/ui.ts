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
    message`It serves a page and prints the URL to open. The page shows the entries, their changes as they happen, the store at past revisions, and its health. The URL contains a secret: a person who has it can read the whole store, and write with ${
      optionName("--write")
    }. Only this machine can reach the server, unless you give --host; then the connection is not encrypted. The page loads nothing from the Internet. When it is interrupted, it ends with exit code 0.`,
  example: "zestor ui --db app.db",
  permissions:
    `--allow-net=127.0.0.1:${DEFAULT_PORT} --allow-read=app.db,app.db-wal`,
  parser: () =>
    object({
      port: optional(
        option("--port", integer({ min: 0, max: 65_535, metavar: "PORT" }), {
          description: message`The port: by default ${
            text(String(DEFAULT_PORT))
          }, or any free port if that one is taken; 0 for any free port.`,
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
      // An interruption is the normal end.
      if (!signal.aborted) throw error;
    }
  },
});
