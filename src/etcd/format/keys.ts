/**
 * The keys of a store in etcd. Each begins with the store's prefix, a NUL and
 * a letter. A prefix never contains a NUL, so the keys of two stores are never
 * mixed. The letters are:
 *
 * - `d`: an entry. Its kind, a NUL and its key follow, so etcd has the entries of
 *   a kind in the order of their keys.
 * - `m`: the record of the newest transaction (see `record.ts`).
 * - `s`: the description of the store: its format and its codecs.
 * - `x`: an index key of an entry that expires. The expiry, the kind, a NUL and
 *   the key follow.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import { base64OfText, textOf } from "../gateway/messages.ts";

/** Keys from `key` up to `range_end`, which is excluded, in base64. */
export interface Span {
  readonly key: string;
  readonly range_end: string;
}

/** The number of digits of a time in a key. */
const TIME_DIGITS = 16;

/** An entry that expires. */
export interface ExpiringName {
  readonly expiresAt: number;
  readonly kind: string;
  readonly key: string;
}

/** The keys of one store. */
export class Keys {
  /** The key of the store's record. */
  readonly record: string;
  /** The key of the store's description. */
  readonly meta: string;
  /** The entries and the record. */
  readonly watched: Span;
  /** The entries. */
  readonly entries: Span;
  readonly #data: string;
  readonly #expiring: string;

  /** Takes the prefix. */
  constructor(prefix: string) {
    const base = `${prefix}\0`;
    this.#data = `${base}d`;
    this.#expiring = `${base}x`;
    this.record = base64OfText(`${base}m`);
    this.meta = base64OfText(`${base}s`);
    this.watched = span(`${base}d`, `${base}n`);
    this.entries = span(`${base}d`, `${base}e`);
  }

  /** The key of an entry. */
  entry(kind: string, key: string): string {
    return base64OfText(`${this.#data}${kind}\0${key}`);
  }

  /** The kind and key of an entry, from its key in etcd; `undefined` for any other key. */
  nameOf(key: string): { kind: string; key: string } | undefined {
    const text = textOf(key);
    if (!text.startsWith(this.#data)) return undefined;
    return splitName(text.slice(this.#data.length));
  }

  /** The entries of a kind in a range of keys. */
  range(kind: string, { lower, upper }: KeyRange): Span {
    const base = `${this.#data}${kind}\0`;
    const end = upper
      ? `${base}${upper.key}${upper.inclusive ? "\0" : ""}`
      : `${this.#data}${kind}\x01`;
    return span(`${base}${lower.key}${lower.inclusive ? "" : "\0"}`, end);
  }

  /** The entries of all kinds past a kind. */
  past(kind: string): Span {
    const { range_end } = this.entries;
    return { key: base64OfText(`${this.#data}${kind}\x01`), range_end };
  }

  /** The next possible key after a key. */
  after(key: string): string {
    return base64OfText(`${textOf(key)}\0`);
  }

  /** The index key of an entry that expires. */
  expiring({ expiresAt, kind, key }: ExpiringName): string {
    return base64OfText(`${this.#expiring}${timeOf(expiresAt)}${kind}\0${key}`);
  }

  /** The index keys of the entries that expire up to a time, in ms since 1970. */
  due(until: number): Span {
    return span(this.#expiring, `${this.#expiring}${timeOf(until + 1)}`);
  }

  /** The index keys of all entries that expire. */
  get allExpiring(): Span {
    return span(this.#expiring, `${this.#expiring}:`);
  }

  /** The expiry, kind and key of an entry, from its index key. */
  expiringNameOf(key: string): ExpiringName | undefined {
    const rest = textOf(key).slice(this.#expiring.length);
    const name = splitName(rest.slice(TIME_DIGITS));
    return name && { ...name, expiresAt: Number(rest.slice(0, TIME_DIGITS)) };
  }
}

function span(from: string, until: string): Span {
  return { key: base64OfText(from), range_end: base64OfText(until) };
}

function timeOf(time: number): string {
  return String(Math.max(0, time)).padStart(TIME_DIGITS, "0");
}

function splitName(text: string): { kind: string; key: string } | undefined {
  const at = text.indexOf("\0");
  return at < 0
    ? undefined
    : { kind: text.slice(0, at), key: text.slice(at + 1) };
}
