/**
 * Timers that do not keep the process running.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startBackgroundTimer } from "../src/base/background_timer.ts";
import { runChild } from "./support/processes/child.ts";
import { tempDir } from "./support/temp_dir.ts";

const HOUR = 3_600_000;

Deno.test("a background timer calls back once its pause is over, unless it is cancelled", async () => {
  // Something has to keep the process running.
  const awake = setTimeout(() => {}, HOUR);
  const calls: string[] = [];
  const cancel = startBackgroundTimer(1, () => calls.push("cancelled"));
  cancel();
  cancel();
  const start = performance.now();
  await new Promise<void>((resolve) => {
    startBackgroundTimer(0, () => calls.push("0 ms"));
    startBackgroundTimer(20, resolve);
    calls.push("started");
  });
  assertEquals(calls, ["started", "0 ms"]);
  // Clocks may differ by the fraction of a ms.
  assertEquals(performance.now() - start >= 19, true);
  clearTimeout(awake);
});

Deno.test("a background timer does not keep the process running", async () => {
  await using dir = await tempDir();
  const file = new URL("../src/base/background_timer.ts", import.meta.url);
  const { code, stdout, stderr } = await runChild(
    dir.path,
    `import { startBackgroundTimer } from "${file}";
    startBackgroundTimer(${HOUR}, () => console.log("called"));
    console.log("started");`,
    { permissions: [] },
  );
  assertEquals([code, stdout, stderr], [0, "started", ""]);
});
