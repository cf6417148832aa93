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
  brief: message`Renames a kind: moves its entries to another kind.`,
  details:
    message`Each transaction moves up to 256 entries or about 1 MiB of values, so the command takes constant memory. At any moment an entry is in exactly one of the two kinds, also if the machine stops. Entries that others write to the old kind meanwhile are moved, too. An entry has version 1 in the new kind, and keeps its expiry. If the new kind has entries, nothing is moved, and the exit code is 2; with --merge, entries with the same keys are replaced. After a failure, the entries moved before stay moved; run it again with --merge to go on. If the old kind has no entries, the exit code is 1. It prints a record with from, to, and entries, which is their number.`,
  example: "zestor rename users people --db app.db",
  permissions: WRITE_PERMISSIONS,
  parser: kindTransferParser,
  run: (context, options) => runKindTransfer("rename", context, options),
});
