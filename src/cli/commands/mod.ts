/**
 * The commands, in the order of the help. A file is loaded when its command is
 * needed.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** All commands, except `help` and `completion`, which belong to the parser. */
const COMMANDS = new Map<string, () => Promise<Command>>(Object.entries({
  get: async () => (await import("./get.ts")).get,
  set: async () => (await import("./set.ts")).set,
  edit: async () => (await import("./edit.ts")).edit,
  delete: async () => (await import("./delete.ts")).deleteCommand,
  entry: async () => (await import("./entry.ts")).entry,
  list: async () => (await import("./list.ts")).list,
  keys: async () => (await import("./keys.ts")).keys,
  count: async () => (await import("./count.ts")).count,
  kinds: async () => (await import("./kinds.ts")).kinds,
  copy: async () => (await import("./copy.ts")).copy,
  rename: async () => (await import("./rename.ts")).rename,
  log: async () => (await import("./log.ts")).log,
  watch: async () => (await import("./watch.ts")).watch,
  export: async () => (await import("./export.ts")).exportCommand,
  import: async () => (await import("./import.ts")).importCommand,
  backup: async () => (await import("./backup.ts")).backup,
  compact: async () => (await import("./compact.ts")).compact,
  verify: async () => (await import("./verify.ts")).verify,
  info: async () => (await import("./info.ts")).info,
  ui: async () => (await import("./ui.ts")).ui,
}));

/** Loads all commands. */
export function loadCommands(): Promise<Command[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()));
}

/** Loads the command of this name, if there is one. */
export async function loadCommand(
  name: string | undefined,
): Promise<Command | undefined> {
  return name === undefined ? undefined : await COMMANDS.get(name)?.();
}
