/**
 * `zestor rename`: renames a kind, entry by entry.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { type Command, defineCommand, WRITE_PERMISSIONS } from "../command.ts";
import {
  kindTransferParser,
  runKindTransfer,
} from "../kind_transfer_command.ts";

/** The command. */
export const rename: Command = defineCommand({
  name: "rename",
  brief: message`Renames a kind: moves every entry of it to another kind.`,
  details:
    message`Each transaction moves up to 256 entries or about 1 MiB of values, so it takes constant memory. An entry is in one of the two kinds at any moment, also if the machine stops. What others write to the old kind meanwhile is moved, too. An entry begins with version 1 in the other kind, and expires when it did before. If the other kind has entries, nothing is done, and the exit code is 2; with --merge those with the same keys are replaced. What was moved before a failure stays moved; run it again with --merge to go on. If the kind has no entries, the exit code is 1. The record printed has the names from, to and entries, which is their number.`,
  example: "zestor rename users people --db app.db",
  permissions: WRITE_PERMISSIONS,
  parser: kindTransferParser,
  run: (context, options) => runKindTransfer("rename", context, options),
});
