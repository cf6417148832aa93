/**
 * The commands, in the order of the help.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { backup } from "./backup.ts";
import { verify } from "./verify.ts";
import { compact } from "./compact.ts";
import { copy } from "./copy.ts";
import { count } from "./count.ts";
import { deleteCommand } from "./delete.ts";
import { edit } from "./edit.ts";
import { entry } from "./entry.ts";
import { exportCommand } from "./export.ts";
import { get } from "./get.ts";
import { importCommand } from "./import.ts";
import { info } from "./info.ts";
import { keys } from "./keys.ts";
import { kinds } from "./kinds.ts";
import { list } from "./list.ts";
import { log } from "./log.ts";
import { rename } from "./rename.ts";
import { set } from "./set.ts";
import { ui } from "./ui.ts";
import { watch } from "./watch.ts";

/** Every command but `help` and `completion`, which the parser has. */
export const COMMANDS: readonly Command[] = [
  get,
  set,
  edit,
  deleteCommand,
  entry,
  list,
  keys,
  count,
  kinds,
  copy,
  rename,
  log,
  watch,
  exportCommand,
  importCommand,
  backup,
  compact,
  verify,
  info,
  ui,
];
