/**
 * Durations on the command line.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { formatDuration, parseDuration } from "../../src/cli/duration.ts";

const DAY = 86_400_000;

Deno.test("a duration is a number and a unit", () => {
  const durations: [text: string, ms: number][] = [
    ["500ms", 500],
    ["1ms", 1],
    ["10s", 10_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["7d", 7 * DAY],
    ["1.5s", 1_500],
    ["0.25ms", 1],
    ["007s", 7_000],
  ];
  for (const [text, ms] of durations) {
    assertEquals(parseDuration(text, 10 * DAY), ms, text);
  }
});

Deno.test("an invalid duration is refused, with an example", () => {
  const wrong: [text: string, problem: string][] = [
    ["", "Expected a duration such as 500ms, 10s, 10m, 2h or 7d"],
    ["soon", 'got "soon"'],
    ["s", 'got "s"'],
    ["-5s", 'got "-5s"'],
    ["+5s", 'got "+5s"'],
    ["1e3s", 'got "1e3s"'],
    ["5 s", 'got "5 s"'],
    ["1h30m", 'got "1h30m"'],
    [".5s", 'got ".5s"'],
    ["5.s", 'got "5.s"'],
    ["NaNs", 'got "NaNs"'],
    ["5", 'The duration "5" has no unit; the units are ms, s, m, h, d'],
    ["5S", 'unknown unit "S"'],
    ["5sec", 'unknown unit "sec"'],
    ["5constructor", 'unknown unit "constructor"'],
    ["0s", 'The duration "0s" is 0'],
    ["0.0h", "is 0"],
    ["11d", 'The duration "11d" is too long; give at most 10d'],
    [`${"9".repeat(400)}s`, "is too long"],
  ];
  for (const [text, problem] of wrong) {
    assertThrows(() => parseDuration(text, 10 * DAY), RangeError, problem);
  }
});

Deno.test("a duration is shown in its largest unit", () => {
  const texts = ["1ms", "1500ms", "10s", "90m", "36h", "7d"];
  assertEquals(
    texts.map((text) => formatDuration(parseDuration(text, 10 * DAY))),
    texts,
  );
});
