/**
 * A program that starts a server, prints a line of JSON about it, and never
 * ends by itself.
 *
 * @module
 */
import { pidIn } from "./home.ts";
import { startServer } from "./server.ts";

/** What the program prints. */
export interface OwnedServer {
  readonly pid: number;
  readonly dir: string;
}

if (import.meta.main) {
  const { dir } = await startServer();
  const owned: OwnedServer = { dir, pid: (await pidIn(dir))! };
  console.log(JSON.stringify(owned));
  setInterval(() => {}, 60_000);
}
