/**
 * The keys of a store in etcd. Each begins with the store's prefix, a NUL and
 * a letter. No prefix has a NUL, so no store's keys are inside another's:
 *
 * - `d`: an entry, by its kind, a NUL and its key. That is the order of keys.
 * - `m`: the record of the newest transaction (see `record.ts`).
 * - `s`: what the store is: its format and its codecs.
 * - `x`: an entry that expires, by when, its kind, a NUL and its key.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import { base64OfText, textOf } from "../gateway/messages.ts";

/** Keys from the first one up to the second one, as the gateway takes them. */
export interface Span {
  readonly key: string;
  readonly range_end: string;
}

/** How many digits a time has. */
const TIME_DIGITS = 16;

/** An entry that expires. */
export interface ExpiringName {
  readonly expiresAt: number;
  readonly kind: string;
  readonly key: string;
}

/** The keys of one store. */
export class Keys {
  /** The store's record. */
  readonly record: string;
  /** What the store is. */
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

  /** The entry that a key is of; `undefined` if it is of none. */
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

  /** Everything past a kind. */
  past(kind: string): Span {
    const { range_end } = this.entries;
    return { key: base64OfText(`${this.#data}${kind}\x01`), range_end };
  }

  /** The first key past another one. */
  after(key: string): string {
    return base64OfText(`${textOf(key)}\0`);
  }

  /** The key that tells when an entry expires. */
  expiring({ expiresAt, kind, key }: ExpiringName): string {
    return base64OfText(`${this.#expiring}${timeOf(expiresAt)}${kind}\0${key}`);
  }

  /** What expires up to a time, in ms since 1970. */
  due(until: number): Span {
    return span(this.#expiring, `${this.#expiring}${timeOf(until + 1)}`);
  }

  /** What expires at all. */
  get allExpiring(): Span {
    return span(this.#expiring, `${this.#expiring}:`);
  }

  /** What a key says about an entry that expires. */
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
