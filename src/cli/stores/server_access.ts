/**
 * Opens a store on a server with the access that a command needs.
 *
 * @module
 */
import type { Access } from "./settings.ts";

/** Opens the store. `open` opens it for reading only, or makes it if it is missing. */
export async function openOnServer<Opened>(
  open: (readOnly: boolean) => Promise<Opened & AsyncDisposable>,
  access: Access,
): Promise<Opened> {
  if (access === "read" || access === "inspect") return await open(true);
  // A store to write to must exist, because opening it for writing would
  // create it.
  if (access === "write") await (await open(true))[Symbol.asyncDispose]();
  return await open(false);
}
