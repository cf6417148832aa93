/**
 * A transaction before it is sent. It computes how the writes change the entries,
 * with their versions, revisions and times, and the operations for etcd.
 *
 * It can know all of this in advance, because the transaction takes effect only
 * if the record has not changed since the entries were read.
 *
 * @module
 */
import { equalBytes } from "../../base/bytes.ts";
import { nextVersion } from "../../engine/last_number.ts";
import type {
  Check,
  Effect,
  EntryName,
  Found,
  Outcome,
  Put,
} from "../../engine/write.ts";
import type {
  DecidedEntryChange,
  PlannedWrite,
} from "../../remote/batch_plan.ts";
import { isLive, type Kept, wrap } from "../format/envelope.ts";
import type { Keys } from "../format/keys.ts";
import type { PlacedRecord, Step } from "../format/record.ts";
import { base64Of, type Op } from "../gateway/messages.ts";

/** An entry in a transaction. It is immutable: each change makes a new slot. */
interface Slot extends EntryName {
  /** The entry in etcd. */
  readonly stored: Kept | undefined;
  /** The entry in the transaction. It equals `stored` unless `isChanged`. */
  readonly kept: Kept | undefined;
  readonly isChanged: boolean;
}

/** A write that the transaction has carried out. */
export interface DraftedWrite {
  readonly outcome: Outcome;
  /** Whether the outcome is the planned one. If not, the plans of later writes are stale. */
  readonly isAsPlanned: boolean;
}

/** A transaction that is not sent yet. */
export class Draft {
  readonly #time: number;
  readonly #slots = new Map<string, Slot>();
  /** The slots before a write, to undo it. */
  readonly #undo = new Map<string, Slot>();
  readonly #steps: Step[] = [];
  #head: number;
  #headBefore = 0;
  #stepsBefore = 0;

  /** Takes the newest record, and the time that decides which entries have expired. */
  constructor(record: PlacedRecord, time: number) {
    this.#head = record.head;
    this.#time = time;
  }

  /** Notes the entry that was read from etcd. */
  see({ kind, key }: EntryName, stored: Kept | undefined): void {
    const slot = { kind, key, stored, kept: stored, isChanged: false };
    this.#slots.set(idOf({ kind, key }), slot);
  }

  /** The revision of the newest change. */
  get head(): number {
    return this.#head;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Undoes the last write. */
  takeBack(): void {
    for (const [id, slot] of this.#undo) this.#slots.set(id, slot);
    this.#undo.clear();
    this.#head = this.#headBefore;
    this.#steps.length = this.#stepsBefore;
  }

  /** Carries out the decision about a write. Returns `undefined` if the write must be decided again. */
  carryOut(
    { taken, decided, failure }: PlannedWrite,
  ): DraftedWrite | undefined {
    this.#undo.clear();
    this.#headBefore = this.#head;
    this.#stepsBefore = this.#steps.length;
    for (const check of decided.checks) {
      const found = this.#found(check);
      if (holds(check, found)) continue;
      const outcome = { type: "refused", check, found } as const;
      return { outcome, isAsPlanned: decided.end === "stale" };
    }
    const { from, until } = decided.time ??
      { from: -Infinity, until: Infinity };
    const isInTime = from <= this.#time && this.#time < until;
    if (decided.end === "stale" || !isInTime) return undefined;
    if (decided.end === "fails") {
      const outcome = { type: "failed", ...failure! } as const;
      return { outcome, isAsPlanned: true };
    }
    const effects: Effect[] = [];
    try {
      for (const change of decided.changes) {
        if ("range" in change) throw mixed(taken.write.action);
        effects.push(this.#apply(change));
      }
    } catch (error) {
      this.takeBack();
      const outcome = { type: "failed", error, at: effects.length } as const;
      return { outcome, isAsPlanned: false };
    }
    const outcome = { type: "done", effects, revision: this.#head } as const;
    return { outcome, isAsPlanned: true };
  }

  /** Removes an entry if it has expired. Returns whether it did. */
  expire(name: EntryName): boolean {
    const slot = this.#slot(name);
    if (!slot.kept || isLive(slot.kept, this.#time)) return false;
    this.#drop(slot, "expire");
    return true;
  }

  #slot({ kind, key }: EntryName): Slot {
    const slot = this.#slots.get(idOf({ kind, key }));
    if (!slot) throw new TypeError(`The entry ${kind}/${key} was not read`);
    return slot;
  }

  #live(name: EntryName): Kept | undefined {
    const { kept } = this.#slot(name);
    return isLive(kept, this.#time) ? kept : undefined;
  }

  #found(name: EntryName): Found | undefined {
    const kept = this.#live(name);
    return kept && { version: kept.version, revision: kept.revision };
  }

  #apply(change: DecidedEntryChange): Effect {
    const { next } = change;
    if (next === "keep") return this.#keep(change);
    return next === "remove" ? this.#remove(change) : this.#put(change, next);
  }

  #keep(name: EntryName): Effect {
    const found = this.#found(name);
    return found ? { status: "unchanged", ...found } : NOTHING;
  }

  #remove(change: DecidedEntryChange): Effect {
    const slot = this.#slot(change);
    const { kept } = slot;
    if (!kept) return NOTHING;
    if (!isLive(kept, this.#time)) {
      this.#drop(slot, "expire");
      return NOTHING;
    }
    this.#drop(slot, "delete");
    const effect = { status: "removed", revision: this.#head } as const;
    if (!change.mayRemove) return { ...effect, version: 0 };
    const { version, revision, updatedAt, expiresAt } = kept;
    const removed = { revision, updatedAt: new Date(updatedAt), expiresAt };
    return { ...effect, version, removed };
  }

  #put(change: DecidedEntryChange, put: Put): Effect {
    const { origin = {}, value } = put;
    const { kind, key } = change;
    const found = this.#slot(change);
    const before = this.#live(change);
    const expiresAt = put.expiresAt === "keep"
      ? before?.expiresAt
      : put.expiresAt;
    const isSame = before !== undefined && before.expiresAt === expiresAt &&
      equalBytes(before.value, value);
    if (isSame) return this.#keep(change);
    const version = before
      ? nextVersion(kind, key, before.version)
      : origin.version ?? 1;
    if (found.kept && !before) this.#drop(found, "expire");
    const slot = this.#slot(change);
    if (slot.isChanged) this.#replace(slot);
    const kept: Kept = {
      value,
      version,
      revision: this.#nextRevision(),
      updatedAt: before
        ? this.#time
        : origin.updatedAt?.getTime() ?? this.#time,
      expiresAt,
      isNew: before === undefined,
    };
    this.#set({ ...slot, kept, isChanged: true });
    const status = before ? "updated" : "created";
    return { status, version, revision: kept.revision };
  }

  #drop(slot: Slot, type: "delete" | "expire"): void {
    if (slot.isChanged) this.#replace(slot);
    const { kind, key } = slot;
    this.#steps.push({ type, revision: this.#nextRevision(), kind, key });
    this.#set({ ...slot, kept: undefined, isChanged: true });
  }

  /** Notes a value that this transaction wrote and now replaces. Only the record keeps it. */
  #replace({ kind, key, kept }: Slot): void {
    if (!kept) return;
    const { version, revision, updatedAt, expiresAt, isNew } = kept;
    const type = isNew ? "create" : "update";
    const value = base64Of(kept.value);
    const put = { version, updatedAt, expiresAt, value };
    this.#steps.push({ type, revision, kind, key, put });
  }

  #nextRevision(): number {
    if (this.#head >= Number.MAX_SAFE_INTEGER) throw noRevisions();
    return ++this.#head;
  }

  #set(slot: Slot): void {
    const id = idOf(slot);
    const before = this.#slots.get(id);
    if (before && !this.#undo.has(id)) this.#undo.set(id, before);
    this.#slots.set(id, slot);
  }

  /** The operations for etcd. */
  operations(keys: Keys): Op[] {
    const ops: Op[] = [];
    for (const slot of this.#changed()) {
      const { kind, key, stored, kept } = slot;
      const name = keys.entry(kind, key);
      if (kept) {
        const value = base64Of(wrap(kept));
        ops.push({ request_put: { key: name, value } });
      } else if (stored) ops.push({ request_delete_range: { key: name } });
      const [old, next] = [stored?.expiresAt, kept?.expiresAt];
      if (old === next) continue;
      if (old !== undefined) {
        const expiring = keys.expiring({ kind, key, expiresAt: old });
        ops.push({ request_delete_range: { key: expiring } });
      }
      if (next !== undefined) {
        const expiring = keys.expiring({ kind, key, expiresAt: next });
        ops.push({ request_put: { key: expiring, value: "" } });
      }
    }
    return ops;
  }

  /** The changed entries, as etcd has them after the transaction. */
  *left(): Iterable<readonly [EntryName, Kept | undefined]> {
    for (const slot of this.#changed()) yield [slot, slot.kept];
  }

  /** The approximate size of the transaction. */
  size(): { ops: number; bytes: number } {
    let ops = 1;
    let bytes = 512;
    for (const { kind, key, stored, kept } of this.#changed()) {
      ops += 1 + (stored?.expiresAt === undefined ? 0 : 1) +
        (kept?.expiresAt === undefined ? 0 : 1);
      bytes += (kept?.value.byteLength ?? 0) + 100 +
        (kind.length + key.length) * 6;
    }
    for (const { put, key } of this.#steps) {
      bytes += 200 + key.length * 3 + (put?.value.length ?? 0);
    }
    return { ops, bytes };
  }

  *#changed(): Iterable<Slot> {
    for (const slot of this.#slots.values()) if (slot.isChanged) yield slot;
  }
}

const NOTHING: Effect = { status: "unchanged", version: 0, revision: 0 };

/** Whether a check holds for the entry that was found. */
function holds(check: Check, found: Found | undefined): boolean {
  if ("version" in check) return check.version === (found?.version ?? 0);
  return "revision" in check
    ? check.revision === (found?.revision ?? 0)
    : check.exists === (found !== undefined);
}

/** The id of an entry: it is unique, because a kind has no NUL. */
export function idOf({ kind, key }: EntryName): string {
  return `${kind}\0${key}`;
}

function mixed(action: string): TypeError {
  return new TypeError(
    `Cannot ${action}: the removal of a range must be the only change of a write`,
  );
}

function noRevisions(): RangeError {
  return new RangeError(
    "Cannot write: the store has used up its revisions; export it, and import it into a new store",
  );
}
