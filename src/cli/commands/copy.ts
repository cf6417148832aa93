/**
 * `zestor copy`: copies a kind, entry by entry.
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
export const copy: Command = defineCommand({
  name: "copy",
  brief: message`Copies every entry of a kind to another kind.`,
  details:
    message`Each transaction copies up to 256 entries or about 1 MiB of values, so it takes constant memory. An entry is copied as it is when it is read, and begins with version 1 in the other kind, and expires when it did before. If the other kind has entries, nothing is done, and the exit code is 2; with --merge those with the same keys are replaced. What was copied before a failure stays; run it again with --merge to go on. If the kind has no entries, the exit code is 1. The record printed has the names from, to and entries, which is their number.`,
  example: "zestor copy users people --db app.db",
  permissions: WRITE_PERMISSIONS,
  parser: kindTransferParser,
  run: (context, options) => runKindTransfer("copy", context, options),
});
