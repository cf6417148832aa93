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
      description: message`The kind to write the entries to.`,
    })),
    from: optional(option("--from", pathParser("STORE"), {
      description:
        message`Copy this store, named as for --db. Default: the store of --db.`,
    })),
    to: optional(option("--to", pathParser("STORE"), {
      description: message`Copy into this store. Default: the store of --db.`,
    })),
    kinds: multiple(option("--kind", names.otherKind("KIND"), {
      description:
        message`With a store: only this kind. You may give it several times.`,
    })),
    merge: mergeOption(),
    mirror: option("--mirror", {
      description:
        message`With a store: delete the entries that only the target has.`,
    }),
    follow: option("--follow", {
      description: message`With a store: then copy each change as it happens.`,
    }),
    format: formatOption(),
  });
}

type Options = InferValue<ReturnType<typeof copyParser>>;

/** The command. */
export const copy: Command = defineCommand({
  name: "copy",
  brief:
    message`Copies all entries of a kind to another kind, or of a store to another store.`,
  details:
    message`To copy a kind, give KIND and NEW_KIND. Each transaction copies up to 256 entries or about 1 MiB of values, so the command takes constant memory. Each entry is copied as it is when the command reads it. The copy has version 1, and the same expiry. If NEW_KIND has entries, nothing is copied, and the exit code is 2; with --merge, entries with the same keys are replaced. After a failure, the entries copied before stay; run it again with --merge to go on. If KIND has no entries, the exit code is 1. It prints a record with from, to, and entries, which is their number.

To copy a store, give --from, --to or both. The source and the target are files, PostgreSQL databases or etcd clusters. The copy is of one moment, and takes constant memory. An entry keeps its version, its times and its expiry. If the target has another entry under the key, that one is deleted and created again; if it has the same entry, nothing is written. So you can run the command again after an interruption. If the target has entries of these kinds that the source does not have, nothing is copied, and the exit code is 2; --merge keeps such entries, --mirror deletes them. If the target cannot hold an entry, an error names it, and the exit code is 2. It prints a record with entries, created, replaced, deleted, unchanged and refused.

With --follow, the command then writes each change into the target, once and in order. It keeps its place in an entry of the kind "zestor:copy" in the target, and goes on there when you run it again; a copy without --follow removes this entry. If the change log no longer reaches back to the place, it copies the differences again, and says so on standard error. Nobody else may write these kinds in the target: if an entry has an unexpected version, the command ends with exit code 1. When it is interrupted, it ends with exit code 0.`,
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
    ? "KIND and NEW_KIND copy a kind, but --from and --to copy a store; give one pair"
    : alone !== undefined
    ? `${alone} needs a store; give --from or --to`
    : !isOfStore && newKind === undefined
    ? "give KIND and NEW_KIND to copy a kind, or --from and --to to copy a store"
    : merge && mirror
    ? "--merge keeps the entries that --mirror deletes; give one of them"
    : merge && follow
    ? "--follow makes both stores the same, but --merge does not; leave one of them out"
    : undefined;
  if (problem) throw new UsageError(`Cannot copy: ${problem}`);
}
