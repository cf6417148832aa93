/**
 * `zestor copy`: copies a kind, entry by entry, or a whole store into another
 * one.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { type Command, defineCommand, WRITE_PERMISSIONS } from "../command.ts";
import { UsageError } from "../errors.ts";
import { mergeOption, runKindTransfer } from "../kind_transfer_command.ts";
import type { NameParsers } from "../names.ts";
import { formatOption, pathParser } from "../options.ts";
import { runStoreCopy } from "../store_copy_command.ts";

function copyParser(names: NameParsers) {
  return object({
    kind: optional(argument(names.kind, {
      description: message`The kind of the entries.`,
    })),
    newKind: optional(argument(names.otherKind("NEW_KIND"), {
      description: message`The kind that they are written to.`,
    })),
    from: optional(option("--from", pathParser("STORE"), {
      description:
        message`Copy a store: this one, as --db names it. Without it, that of --db.`,
    })),
    to: optional(option("--to", pathParser("STORE"), {
      description: message`Copy into this store. Without it, that of --db.`,
    })),
    kinds: multiple(option("--kind", names.otherKind("KIND"), {
      description:
        message`Of a store, only this kind; may be given several times.`,
    })),
    merge: mergeOption(),
    mirror: option("--mirror", {
      description:
        message`Of a store, delete the entries that only the other store has.`,
    }),
    follow: option("--follow", {
      description: message`Of a store, go on with each change as it happens.`,
    }),
    format: formatOption(),
  });
}

type Options = InferValue<ReturnType<typeof copyParser>>;

/** The command. */
export const copy: Command = defineCommand({
  name: "copy",
  brief:
    message`Copies every entry of a kind to another kind, or a store into another one.`,
  details:
    message`A kind: each transaction copies up to 256 entries or about 1 MiB of values, so it takes constant memory. An entry is copied as it is when it is read, and begins with version 1 in the other kind, and expires when it did before. If the other kind has entries, nothing is done, and the exit code is 2; with --merge those with the same keys are replaced. What was copied before a failure stays; run it again with --merge to go on. If the kind has no entries, the exit code is 1. The record printed has the names from, to and entries, which is their number.

A store, with --from, --to or both: from a file, a PostgreSQL database or an etcd cluster to another one, as of one moment, in constant memory. An entry keeps its version, its times and its expiry; one that differs is deleted and created again; one that is the same is not written. So run it again if it was interrupted. If the other store has entries of these kinds that the store does not have, nothing is done, and the exit code is 2; --merge keeps them, --mirror deletes them. An entry that the other store cannot hold is told on standard error, and the exit code is 2. The record printed has the names entries, created, replaced, deleted, unchanged and refused.

With --follow it goes on when all is copied, and writes each change into the other store, once and in order. Its place is an entry of the kind "zestor:copy" in the other store, so it goes on there when it is run again; a copy without --follow removes it. If the change log no longer reaches the place, the differences are copied again, and standard error tells so. Nobody else may write these kinds in the other store: an entry with another version ends it, with exit code 1. It ends, with exit code 0, when it is interrupted.`,
  example: "zestor copy users people --db app.db",
  permissions: WRITE_PERMISSIONS,
  parser: copyParser,
  async run(context, options) {
    const { kind, newKind, from, to, merge, format } = options;
    assertTogether(options);
    if (kind === undefined || newKind === undefined) {
      return await runStoreCopy(context, { ...options, ends: { from, to } });
    }
    await runKindTransfer("copy", context, {
      from: kind,
      to: newKind,
      merge,
      format,
    });
  },
});

function assertTogether(options: Options): void {
  const { kind, newKind, from, to, kinds, merge, mirror, follow } = options;
  const isOfStore = from !== undefined || to !== undefined;
  const forStores = [
    ["--kind", kinds.length > 0],
    ["--mirror", mirror],
    ["--follow", follow],
  ] as const;
  const [alone] = forStores.find(([, given]) => given && !isOfStore) ?? [];
  const problem = isOfStore && kind !== undefined
    ? "KIND and NEW_KIND copy a kind, --from and --to copy a store; give one of both"
    : alone !== undefined
    ? `${alone} is for a store; give --from or --to`
    : !isOfStore && newKind === undefined
    ? "give KIND and NEW_KIND for a kind, or --from and --to for a store"
    : merge && mirror
    ? "--merge keeps what --mirror deletes; give one of them"
    : merge && follow
    ? "--follow makes the stores the same, and --merge does not; leave one of them out"
    : undefined;
  if (problem) throw new UsageError(`Cannot copy: ${problem}`);
}
