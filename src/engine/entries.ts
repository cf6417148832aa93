/**
 * Entries and changes as an engine stores them, with encoded values and expiry
 * times in ms since 1970.
 *
 * @module
 */
import type { StoreError } from "../contract/errors.ts";
import type { ChangeType } from "../contract/watch.ts";

/** A key with its encoded value. */
export interface StoredValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** The value as text, if it was read as text: `value` is its UTF-8. */
  readonly text?: string;
}

const encoder = new TextEncoder();

/** A value that was read as text. */
export class TextValue implements StoredValue {
  readonly key: string;
  readonly text: string;

  /** Takes the key, and the text that is stored as UTF-8. */
  constructor(key: string, text: string) {
    this.key = key;
    this.text = text;
  }

  /** Encodes the text at each access. */
  get value(): Uint8Array {
    return encoder.encode(this.text);
  }
}

/**
 * The approximate size of a value: its bytes, or the UTF-16 units of its text.
 */
export function sizeOfValue(stored: StoredValue): number {
  return stored.text?.length ?? stored.value.byteLength;
}

/** The properties that a condition can test. */
export interface EntryState {
  readonly version: number;
  /** The revision of the entry's last change. */
  readonly revision: number;
}

/** An entry as it is stored. */
export interface StoredEntry extends StoredValue, EntryState {
  readonly updatedAt: Date;
  /**
   * The time from which the entry is gone; `undefined` if it does not expire.
   */
  readonly expiresAt: number | undefined;
}

/** An entry whose value was read as text. */
export class TextEntry extends TextValue implements StoredEntry {
  readonly version: number;
  readonly revision: number;
  readonly updatedAt: Date;
  readonly expiresAt: number | undefined;

  /**
   * Takes the key, the text that is stored as UTF-8, and the other properties.
   */
  constructor(
    key: string,
    text: string,
    { version, revision, updatedAt, expiresAt }: Omit<
      StoredEntry,
      keyof StoredValue
    >,
  ) {
    super(key, text);
    this.version = version;
    this.revision = revision;
    this.updatedAt = updatedAt;
    this.expiresAt = expiresAt;
  }
}

/** A change as the log stores it. */
export interface StoredChange {
  readonly revision: number;
  /**
   * A number that distinguishes this change from changes of other stores at the
   * same revision.
   */
  readonly mark: number;
  readonly kind: string;
  readonly type: ChangeType;
  /** For a deletion: whether the entry had expired. */
  readonly isExpiry: boolean;
  readonly key: string;
  readonly version: number;
  /** The new value. For a deletion, the deleted value. */
  readonly value: Uint8Array;
  /** The value as text, if several callers read it as text. */
  readonly text?: string;
  /** For an update: the previous value, if it was asked for. */
  readonly previous?: Uint8Array;
  readonly expiresAt: number | undefined;
  /** When it was made; `undefined` if nobody asked, or the log does not tell. */
  readonly time: Date | undefined;
}

/** A change whose value was read as text, without its time and the value before. */
export class TextChange extends TextValue implements StoredChange {
  readonly revision: number;
  readonly mark: number;
  readonly kind: string;
  readonly type: ChangeType;
  readonly isExpiry: boolean;
  readonly version: number;
  readonly expiresAt: number | undefined;
  readonly time = undefined;

  /** Takes the key, the text that is stored in UTF-8, and the rest. */
  constructor(
    key: string,
    text: string,
    rest: Omit<StoredChange, keyof StoredValue | "previous" | "time">,
  ) {
    super(key, text);
    this.revision = rest.revision;
    this.mark = rest.mark;
    this.kind = rest.kind;
    this.type = rest.type;
    this.isExpiry = rest.isExpiry;
    this.version = rest.version;
    this.expiresAt = rest.expiresAt;
  }
}

/** A change of which the log does not hold what it should, as damage or plain SQL can make it. */
export interface UnreadableChange {
  readonly revision: number;
  /** The reason why it cannot be read. */
  readonly problem: StoreError;
}

/** A part of the change log. */
export interface ChangePage {
  /** The changes that pass the filter, in the order of reading. */
  readonly changes: (StoredChange | UnreadableChange)[];
  /**
   * The revision up to which all changes were read, in the order of reading.
   */
  readonly cursor: number;
  /**
   * The mark of the change at `cursor`, in a log that `canBePutBack`. Absent if
   * the log does not have it.
   */
  readonly mark?: number;
}
