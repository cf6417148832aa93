/**
 * The common part of `zestor copy` and `zestor rename`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { InferValue, Parser } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import type { CommandContext } from "./command.ts";
import { type KindTransfer, transferKind } from "./kind_transfer.ts";
import type { NameParsers } from "./names.ts";
import { formatOption, kindArgument } from "./options.ts";
import { nameText } from "../base/escape.ts";
import { type Columns, printRecord } from "./output/formats.ts";
import { codecNamed } from "./stores/codecs.ts";

/** The record of a copy or a move. */
interface Transferred {
  readonly from: string;
  readonly to: string;
  /** How many. */
  readonly entries: number;
}

const COLUMNS: Columns<Transferred> = {
  titles: ["FROM", "TO", "ENTRIES"],
  cells: ({ from, to, entries }) => [
    nameText(from),
    nameText(to),
    String(entries),
  ],
};

/** Two kinds, and whether the second one may have entries. */
export function kindTransferParser(names: NameParsers) {
  return object({
    from: kindArgument(names),
    to: argument(names.otherKind("NEW_KIND"), {
      description: message`The kind to write the entries to.`,
    }),
    merge: mergeOption(),
    format: formatOption(),
  });
}

/** Whether there may be entries already. */
export function mergeOption(): Parser<"sync", boolean, unknown> {
  return option("--merge", {
    description:
      message`Go on if the new kind has entries; entries with the same keys are replaced.`,
  });
}

/** Copies or moves the entries, and prints their number. */
export async function runKindTransfer(
  action: KindTransfer["action"],
  { openStore, printing, codec, signal }: CommandContext,
  { from, to, merge, format }: InferValue<
    ReturnType<typeof kindTransferParser>
  >,
): Promise<void> {
  await using store = await openStore("write");
  const entries = await transferKind(store, {
    action,
    from,
    to,
    merge,
    codec: await codecNamed(codec),
    signal,
  });
  await printRecord({ from, to, entries }, COLUMNS, printing(format));
}
