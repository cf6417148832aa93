/**
 * Asks the person at the terminal.
 *
 * @module
 */
import { unlessAborted } from "../../base/promises.ts";

/** Whether a person can be asked. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** Asks a question. Enter means yes, and the end of the input means no. */
export async function ask(
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  await Deno.stderr.write(new TextEncoder().encode(`${question} [Y/n] `));
  const bytes = new Uint8Array(1_000);
  // A terminal returns one line at a time.
  const length = await unlessAborted(Deno.stdin.read(bytes), signal);
  if (length === null) return false;
  const answer = new TextDecoder().decode(bytes.subarray(0, length));
  return ["", "y", "yes"].includes(answer.trim().toLowerCase());
}
