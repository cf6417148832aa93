/**
 * Watches a file that it writes, and then removes, by the package's platform.
 * Prints the platform's name if it was told of all.
 *
 * @module
 */
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
// @ts-ignore: the package's exports do not have it; the project's folder does.
import { platform } from "./node_modules/@zestor/store/src/base/platform.js";

const [path] = process.argv.slice(2);
writeFileSync(path, "");
const events: string[] = [];
let wake = () => {};
platform.watchFile(path, (event: string) => {
  events.push(event);
  wake();
});

/** Waits until it has told this, since the last call. */
async function until(event: string): Promise<void> {
  while (!events.includes(event)) {
    await new Promise<void>((resolve) => wake = resolve);
  }
  events.length = 0;
}

// Bun leaves out an event that follows another one within 5 ms: write again.
const writing = setInterval(() => appendFileSync(path, "a"), 10);
for (let i = 0; i < 3; i++) await until("write");
clearInterval(writing);
rmSync(path);
await until("end");
console.log(JSON.stringify(platform.name));
