/**
 * The peer's end of the talk with its test, see `peer.ts`.
 *
 * @module
 */
import { deafen } from "../faults/deaf.ts";

/** A program: it is given what the test passed. */
// deno-lint-ignore no-explicit-any -- each has arguments of its own
type Program = (args: any) => Promise<void>;

/** Runs the program that the command line names. */
export async function runProgram(
  programs: Readonly<Record<string, Program>>,
): Promise<void> {
  const [name, args, hearing] = Deno.args;
  if (hearing === "deaf") deafen();
  await programs[name](JSON.parse(args));
}

/** Tells the test something. */
export function tell(message: unknown): void {
  console.log(JSON.stringify(message));
}

const decoder = new TextDecoder();
const buffer = new Uint8Array(65_536);
let text = "";

/** What the test says next; `undefined` when it has hung up. It keeps the process running. */
export async function heard<Message>(): Promise<Message | undefined> {
  let end = text.indexOf("\n");
  while (end < 0) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) return undefined;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    end = text.indexOf("\n");
  }
  const line = text.slice(0, end);
  text = text.slice(end + 1);
  return JSON.parse(line) as Message;
}
