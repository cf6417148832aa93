/**
 * The server's information about itself.
 *
 * @module
 */
import type { Session } from "../../api.ts";
import { Cell } from "./cell.ts";
import { read, RequestError } from "./client.ts";
import { connection, epoch } from "./live.ts";

/** The session; absent until it is read. */
export const session: Cell<Session | undefined> = new Cell<
  Session | undefined
>(undefined);

/** Reads it, and again whenever the connection is back, because the server may be another one. */
export async function followSession(): Promise<void> {
  epoch.subscribe(load);
  await load();
}

async function load(): Promise<void> {
  try {
    session.value = await read<Session>("api/session");
  } catch (error) {
    if (error instanceof RequestError && error.status !== 0) {
      connection.value = { state: "refused", message: error.message };
    }
  }
}
