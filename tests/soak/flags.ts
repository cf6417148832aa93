/**
 * The flags of a soak.
 *
 * @module
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";

/**
 * Reads `--name=value` from the command line, for each name that has a usual
 * value, and `--seed`, which is a new one each time; prints them all, as a
 * command that does the same again.
 */
export function readFlags<Flags extends Record<string, number | string>>(
  usual: Flags,
): Flags & { seed: string } {
  const all: Record<string, number | string> = {
    ...usual,
    seed: crypto.randomUUID().slice(0, 8),
  };
  const names = Object.keys(all).map((name) => [name, { type: "string" }]);
  const { values } = parseArgs({
    args: Deno.args,
    options: Object.fromEntries(names),
  });
  for (const [name, value] of Object.entries(values)) {
    const text = String(value);
    all[name] = typeof all[name] === "number" ? toNumber(name, text) : text;
  }
  const flags = Object.entries(all).map(([name, value]) =>
    `--${name}=${value}`
  );
  const file = basename(Deno.mainModule);
  console.log(`deno task soak tests/soak/${file} ${flags.join(" ")}`);
  return all as Flags & { seed: string };
}

function toNumber(name: string, value: string): number {
  const number = Number(value);
  if (value !== "" && number >= 0) return number;
  throw new RangeError(
    `Cannot run: "--${name}" must be a number, 0 or more, received "${value}"`,
  );
}
