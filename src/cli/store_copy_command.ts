/**
 * `zestor copy --from … --to …`: copies a whole store, once or continuously.
 *
 * @module
 */
import { quoteText, reasonOf } from "../base/messages.ts";
import type { Store } from "../contract/store.ts";
import type { CommandContext } from "./command.ts";
import {
  type CopyResult,
  type EntriesCopy,
  refusalText,
} from "./copying/copy_entries.ts";
import {
  copyStore,
  followStore,
  type StoreCopy,
  type StoreFollow,
} from "./copying/copy_store.ts";
import { PLACE_KIND } from "./copying/place.ts";
import { EXIT, UsageError } from "./errors.ts";
import { escapeText } from "../base/escape.ts";
import { type Columns, type Format, printRecord } from "./output/formats.ts";
import { writeError } from "./output/output.ts";
import { openProgress, type Progress } from "./output/progress.ts";
import { codecNamed } from "./stores/codecs.ts";
import type { EndNames, Ends } from "./stores/ends.ts";

const NAMES = [
  "entries",
  "created",
  "replaced",
  "deleted",
  "unchanged",
  "refused",
] as const;

const COLUMNS: Columns<CopyResult> = {
  titles: NAMES.map((name) => name.toUpperCase()),
  cells: (result) => NAMES.map((name) => String(result[name])),
};

/** The options of a copy of a store. */
export interface StoreCopyOptions {
  readonly ends: EndNames;
  readonly kinds: readonly string[];
  readonly merge: boolean;
  readonly mirror: boolean;
  readonly follow: boolean;
  readonly format: Format | undefined;
}

/** Copies a store, and prints the result. Returns the exit code. */
export async function runStoreCopy(
  context: CommandContext,
  options: StoreCopyOptions,
): Promise<number> {
  const { kinds, merge, mirror, follow } = options;
  assertCopied(kinds);
  const { signal } = context;
  await using stores = await context.openEnds(options.ends);
  const chosen = kinds.length > 0 ? [...new Set(kinds)] : undefined;
  const progress = await progressOf(stores.source, chosen, signal);
  const copy: Telling = {
    kinds: chosen,
    signal,
    onProgress: ({ entries }) => progress.show(entries),
    onRefused(refused) {
      progress.clear();
      writeError(`zestor: ${escapeText(refusalText(refused))}`);
    },
    async print(result) {
      progress.clear();
      await printRecord(result, COLUMNS, context.printing(options.format));
      await context.output.flush();
    },
    tell(text) {
      progress.clear();
      writeError(`zestor: ${escapeText(text)}`);
    },
  };
  try {
    return follow
      ? await followEnds(stores, mirror ? "delete" : "refuse", copy, context)
      : await copyEnds(
        stores,
        merge ? "keep" : mirror ? "delete" : "refuse",
        copy,
      );
  } finally {
    progress.clear();
  }
}

/** The copy, and its reports. */
interface Telling extends EntriesCopy {
  print(result: CopyResult): Promise<void>;
  tell(text: string): void;
}

async function copyEnds(
  { source, target }: Ends,
  extra: StoreCopy["extra"],
  copy: Telling,
): Promise<number> {
  const result = await copyStore(source, target, { ...copy, extra });
  await copy.print(result);
  return result.refused > 0 ? EXIT.usage : EXIT.done;
}

async function followEnds(
  { source, target }: Ends,
  extra: StoreFollow["extra"],
  copy: Telling,
  { codec, signal }: CommandContext,
): Promise<number> {
  let isFollowing = false;
  await followStore(source, target, {
    ...copy,
    extra,
    codec: await codecNamed(codec),
    async onFollowing(copied) {
      isFollowing = true;
      if (copied) await copy.print(copied);
    },
    onCopyAgain: (why) =>
      copy.tell(`${reasonOf(why)}; copying the differences again`),
    onRetry: (why) => copy.tell(`${reasonOf(why)}; trying again`),
  });
  // While it follows, an interruption is its normal end.
  if (!isFollowing) signal.throwIfAborted();
  return EXIT.done;
}

function assertCopied(kinds: readonly string[]): void {
  if (!kinds.includes(PLACE_KIND)) return;
  throw new UsageError(
    `Cannot copy the kind ${
      quoteText(PLACE_KIND)
    }: it keeps the places of copies; leave it out`,
  );
}

/** Counting the entries takes time, and only a bar needs it. */
async function progressOf(
  source: Store,
  kinds: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Progress> {
  if (!Deno.stderr.isTerminal()) {
    return openProgress({ total: undefined, unit: "entries" });
  }
  const counted = kinds ?? await source.kinds({ signal });
  const counts = await Promise.all(
    counted.map((kind) => source.count(kind, { signal })),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  return openProgress({ total, unit: "entries" });
}
