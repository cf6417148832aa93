/**
 * Reads the previous values that etcd left out of a watch's events.
 *
 * etcd begins a watch before it notes that the watch asked for previous values.
 * If it is busy, the first events of a watch can lack them.
 *
 * @module
 */
import { Compacted, isCompacted } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { firstOf, type KeyEvent, numberOf } from "../gateway/messages.ts";

/** How many values are read at once. Each can be 1 MiB large. */
const READ_AT_ONCE = 16;

/**
 * The events of one transaction, with their previous values. Throws `Compacted`
 * if etcd no longer has one of these values.
 */
export async function withPrevious(
  gateway: Gateway,
  events: readonly KeyEvent[],
  signal: AbortSignal,
): Promise<readonly KeyEvent[]> {
  const lacking = events.filter(lacksPrevious);
  if (lacking.length === 0) return events;
  const complete = new Map<KeyEvent, KeyEvent>();
  for (let i = 0; i < lacking.length; i += READ_AT_ONCE) {
    const part = lacking.slice(i, i + READ_AT_ONCE);
    const requests = part.map(({ kv: { key, mod_revision } }) => ({
      key,
      revision: String(numberOf(mod_revision) - 1),
    }));
    try {
      const { found } = await gateway.ranges(requests, { signal });
      for (const [j, event] of part.entries()) {
        const prev_kv = firstOf(found[j]);
        if (prev_kv) complete.set(event, { ...event, prev_kv });
      }
    } catch (error) {
      throw isCompacted(error) ? new Compacted() : error;
    }
  }
  return events.map((event) => complete.get(event) ?? event);
}

/** Whether the key had a value before, but the event does not tell it. */
function lacksPrevious({ type, kv, prev_kv }: KeyEvent): boolean {
  if (prev_kv) return false;
  return type === "DELETE" || kv.create_revision !== kv.mod_revision;
}
