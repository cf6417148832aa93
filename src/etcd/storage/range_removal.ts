/**
 * Plans the removal of a range of keys. It is one operation of etcd, however many
 * keys the range has.
 *
 * @module
 */
import type { Effect, RangeRemoval } from "../../engine/write.ts";
import type { KeyRange } from "../../keys/key_range.ts";
import type { Keys } from "../format/keys.ts";
import { type PlacedRecord, recordOf } from "../format/record.ts";
import { type Gateway, READ_OF_WRITER } from "../gateway/gateway.ts";
import { firstOf, numberOf, type Op } from "../gateway/messages.ts";
import { putBack } from "../../engine/log_ends.ts";
import { EntryView } from "./entry_view.ts";
import { PageSizes } from "./page_sizes.ts";

/** A removal, and its effect if nobody writes before it. */
export interface PlannedRemoval {
  /** The newest record. */
  readonly record: PlacedRecord;
  /** In ms since 1970. It decides which entries had expired. */
  readonly time: number;
  /** How many entries the range has in etcd, expired ones included. */
  readonly removed: number;
  readonly effect: Effect;
  readonly ops: readonly Op[];
}

/** Plans a removal. */
export async function removeRange(
  gateway: Gateway,
  keys: Keys,
  { kind, range }: RangeRemoval,
): Promise<PlannedRemoval> {
  const span = keys.range(kind, range);
  const time = Date.now();
  const { found: [own, counted, due], revision: at } = await gateway.ranges([
    { key: keys.record },
    { ...span, count_only: true },
    { ...keys.due(time), limit: 1, keys_only: true },
  ], READ_OF_WRITER);
  const kv = firstOf(own);
  if (!kv) throw putBack("ahead", 0);
  const record = recordOf(kv);
  const removed = numberOf(counted.count);
  const live = firstOf(due)
    ? await liveOf({ gateway, keys }, { kind, range }, { at, time }, removed)
    : { count: removed, last: removed };
  const { count } = live;
  const effect: Effect = count > 0
    ? {
      status: "removed",
      version: 0,
      revision: record.head + live.last,
      count,
    }
    : { status: "unchanged", version: 0, revision: 0, count: 0 };
  const ops = [{ request_delete_range: span }];
  return { record, time, removed, effect, ops };
}

/** How many entries have not expired, and the position of the last of them, from 1. */
async function liveOf(
  { gateway, keys }: { gateway: Gateway; keys: Keys },
  { kind, range }: RangeRemoval,
  { at, time }: { at: number; time: number },
  removed: number,
): Promise<{ count: number; last: number }> {
  const source = { gateway, keys, sizes: new PageSizes() };
  const view = new EntryView(source, { at, time });
  let count = 0;
  let lastKey: string | undefined;
  for (let rest: KeyRange | undefined = range; rest;) {
    const page = await view.entries(kind, rest, { onUnreadable: () => {} });
    count += page.items.length;
    lastKey = page.items.at(-1)?.key ?? lastKey;
    rest = page.rest;
  }
  if (lastKey === undefined) return { count: 0, last: 0 };
  const past = {
    lower: { key: lastKey, inclusive: false },
    upper: range.upper,
  };
  const answer = await gateway.range({
    ...keys.range(kind, past),
    count_only: true,
    revision: String(at),
  });
  return { count, last: removed - numberOf(answer.count) };
}
