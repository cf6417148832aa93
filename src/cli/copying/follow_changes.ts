/**
 * Writes the changes of a source into a target, as they come.
 *
 * The invariants:
 * - The place is written in the same transaction as the changes. So each change
 *   is written once, in order, even if the process is killed.
 * - An entry is written only if the target has it as the source had it. The
 *   target may no longer have it, because it has expired there.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import {
  CodecError,
  type VersionConflictError,
} from "../../contract/errors.ts";
import type { Store } from "../../contract/store.ts";
import type { WatchEvent } from "../../contract/watch.ts";
import type { Codec } from "../../values/codecs/codec.ts";
import {
  nameOf,
  planRun,
  type PutEvent,
  type Run,
  type RunWrite,
  type Versions,
} from "./changes.ts";
import { DivergedError, TargetConflictError } from "./errors.ts";
import { batchesOf } from "./event_batches.ts";
import { lineOfEvent, streamOf } from "./lines.ts";
import {
  type Place,
  PLACE_KIND,
  type PlaceEntry,
  type SourceCursor,
} from "./place.ts";

/** The copy to follow, and its callbacks. */
export interface Following {
  /** The kinds. Absent: all kinds. */
  readonly kinds?: readonly string[];
  /** The codec of both stores. */
  readonly codec: Codec;
  readonly signal: AbortSignal;
  /** Called after each transaction, with the number of changes that it wrote. */
  readonly onChanges?: (count: number) => void;
}

/**
 * Follows the changes after a cursor until the signal aborts. Rejects with
 * `WatchOverflowError` or `DivergedError` if the entries must be copied again,
 * and with `TargetConflictError` if somebody else writes into the target.
 */
export async function followChanges(
  source: Store,
  target: Store,
  place: PlaceEntry,
  after: SourceCursor,
  following: Following,
): Promise<void> {
  const { kinds, codec, signal } = following;
  const options = { after, bookmarks: true, signal } as const;
  const items = kinds
    ? source.watch([...kinds], options)
    : source.watchAll(options);
  const writer = new ChangeWriter(target, place, following);
  try {
    const sizeOf = ({ value }: WatchEvent) => codec.encode(value).byteLength;
    for await (const { events, cursor } of batchesOf(items, sizeOf)) {
      const own = events.filter(({ kind }) => kind !== PLACE_KIND);
      await writer.write(own, cursor);
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new DivergedError(error.message, { cause: error });
  }
}

class ChangeWriter {
  readonly #target: Store;
  readonly #place: PlaceEntry;
  readonly #following: Following;

  constructor(target: Store, place: PlaceEntry, following: Following) {
    this.#target = target;
    this.#place = place;
    this.#following = following;
  }

  /** Writes changes, and the cursor of the last one. */
  async write(events: readonly WatchEvent[], cursor: string): Promise<void> {
    const lineOf = (event: PutEvent) =>
      lineOfEvent(event, this.#following.codec);
    let rest = events;
    let known: Versions = new Map();
    for (let isDone = false; !isDone;) {
      const run = planRun({ events: rest, known, now: Date.now(), lineOf });
      const isLast = run.count === rest.length;
      const conflict = await this.#commit(run, {
        state: "following",
        cursor: isLast ? cursor : rest[run.count - 1].cursor,
      });
      if (conflict) {
        this.#assertGone(conflict);
        known = new Map(known).set(nameOf(conflict), 0);
        continue;
      }
      this.#following.onChanges?.(run.count);
      rest = rest.slice(run.count);
      known = run.versions;
      isDone = isLast;
    }
  }

  /** If the target no longer has an entry, the entry has expired there. */
  #assertGone(
    { kind, key, expected, actual }: VersionConflictError,
  ): void {
    if (kind === PLACE_KIND) {
      throw new TargetConflictError(
        "Cannot follow: another copy writes into the target, or has taken over from this one; run only one",
      );
    }
    if (actual === 0) return;
    throw new TargetConflictError(
      `Cannot follow: ${
        quote(kind, key)
      } in the target has version ${actual} and version ${expected} was expected, so somebody else has written it; stop the other writer, copy with --mirror and without --follow, then follow again`,
    );
  }

  /** Writes a run. Returns the condition that did not hold, if there is one. */
  async #commit(
    run: Run,
    place: Place,
  ): Promise<VersionConflictError | undefined> {
    return run.writes[0]?.by === "line"
      ? await this.#import(run, place)
      : await this.#write(run, place);
  }

  async #write(
    { checks, writes }: Run,
    place: Place,
  ): Promise<VersionConflictError | undefined> {
    const operation = this.#target.atomic()
      .check(this.#place.check, ...checks)
      .set(...this.#place.setOf(place));
    for (const write of writes) {
      if (write.by === "line") continue;
      const { kind, key, value } = write.event;
      if (write.by === "set") operation.set(kind, key, value);
      else operation.delete(kind, key);
    }
    const result = await operation.commit({ signal: this.#following.signal });
    if (!result.ok) return result.conflict;
    const [{ version }, ...results] = result.results;
    this.#place.wasWritten(version);
    const isNone = (write: RunWrite, at: number) =>
      write.by === "set" && results[at].status === "unchanged";
    if (writes.some(isNone)) throw noUpdate();
  }

  async #import(
    { checks, writes }: Run,
    place: Place,
  ): Promise<VersionConflictError | undefined> {
    const { signal } = this.#following;
    const checked = await this.#target.atomic()
      .check(this.#place.check, ...checks)
      .commit({ signal });
    if (!checked.ok) return checked.conflict;
    const lines = writes.flatMap((write) =>
      write.by === "line" ? [write.line] : []
    );
    // The place comes first, because an import begins a new transaction after a
    // long line.
    const all = streamOf([this.#place.lineOf(place), ...lines]);
    const { unchanged, skipped } = await this.#target.import(all, { signal });
    this.#place.wasWritten(this.#place.check.version! + 1);
    if (unchanged > 0) throw noUpdate();
    if (skipped > 0) await this.#removeExpired(writes);
  }

  /** Entries that expired before they were written may still be in the target with their old state. */
  async #removeExpired(writes: readonly RunWrite[]): Promise<void> {
    const now = Date.now();
    const operation = this.#target.atomic();
    for (const { event } of writes) {
      if (event.type === "delete" || !event.expiresAt) continue;
      if (event.expiresAt.getTime() > now) continue;
      operation.delete(event.kind, event.key);
    }
    await operation.commit({ signal: this.#following.signal });
  }
}

/** Plain SQL may have changed the bytes of a value, but not the value. */
function noUpdate(): DivergedError {
  return new DivergedError(
    "An update of the source would change nothing in the target",
  );
}
