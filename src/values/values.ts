/**
 * Values on their way into a store and out of it: the kind's schema checks
 * them, and its codec encodes them.
 *
 * @module
 */
import type { KindCodecs } from "./codecs/kind_codecs.ts";
import { equalBytes } from "../base/bytes.ts";
import { describe, quote, quoteText } from "../base/messages.ts";
import { json } from "./codecs/json.ts";
import { CodecError, StoreError } from "../contract/errors.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { Slice } from "../base/slice.ts";
import { multipliesWithoutEnd } from "./parts.ts";
import type { KindSchemas } from "./schemas/kind_schemas.ts";

const decoder = new TextDecoder();

/** A value to write: the schema's output, and its bytes. */
export interface Prepared {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

/** An entry whose value is encoded. */
export interface EncodedEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The value as text, if it was read as text. */
  readonly text?: string;
}

/** Whether two values of a kind count as equal. */
export type Equals = (
  kind: string,
  previous: unknown,
  next: unknown,
) => boolean;

/** The settings for a store's values. */
export interface ValuesConfig {
  readonly codecs: KindCodecs;
  readonly schemas: KindSchemas;
  /** Without it, values with the same bytes are equal. */
  readonly equals?: Equals;
  /** Whether values that are read are checked, too. */
  readonly validateReads: boolean;
}

/** The values of a store. */
export class Values {
  readonly #config: ValuesConfig;

  /** Takes the settings. */
  constructor(config: ValuesConfig) {
    this.#config = config;
  }

  /**
   * Checks and encodes a value. Returns a promise if the schema is
   * asynchronous. Throws `ValidationError` and `CodecError`, or rejects with
   * them.
   */
  prepare(kind: string, key: string, value: unknown): MaybePromise<Prepared> {
    return this.#config.schemas.validate(kind, key, value, (value) => ({
      value,
      bytes: this.encode(kind, key, value),
    }));
  }

  /**
   * Checks bytes that the codec of this name has encoded. It keeps the bytes,
   * unless the schema changes the value. Throws as `prepare` does, also if the
   * codec refuses to encode the value.
   */
  accept(
    kind: string,
    key: string,
    codec: string,
    bytes: Uint8Array,
  ): MaybePromise<Prepared> {
    this.#assertCodec(kind, codec);
    // A copy, because a codec may give its bytes away.
    const given = this.decode(kind, key, bytes.slice());
    return this.#config.schemas.validate(kind, key, given, (value) => {
      const encoded = this.encode(kind, key, value);
      return { value, bytes: value === given ? bytes : encoded };
    });
  }

  #assertCodec(kind: string, codec: string): void {
    const expected = this.codecOf(kind);
    if (codec === expected) return;
    throw new TypeError(
      `its bytes are of the codec ${quoteText(codec)}, and the kind ${
        quoteText(kind)
      } has ${quoteText(expected)}`,
    );
  }

  /** A stored value as JSON; `undefined` if the JSON would not give the same bytes again. */
  jsonOf(kind: string, key: string, stored: Uint8Array): string | undefined {
    try {
      // A copy, because a codec may give its bytes away.
      const value = this.decode(kind, key, stored.slice());
      const isJson = this.codecOf(kind) === json.name;
      // JSON writes each occurrence of an object, which may have no end.
      if (!isJson && multipliesWithoutEnd(value)) return undefined;
      const plain = json.encode(value);
      const again = isJson ? plain : this.encode(kind, key, json.decode(plain));
      return equalBytes(again, stored) ? decoder.decode(plain) : undefined;
    } catch {
      // It cannot be decoded, or JSON cannot express it.
      return undefined;
    }
  }

  /** The name of a kind's codec. */
  codecOf(kind: string): string {
    return this.#config.codecs.nameOf(kind);
  }

  /** Encodes a value that needs no check; throws `CodecError`. */
  encode(kind: string, key: string, value: unknown): Uint8Array {
    return this.#config.codecs.encode(kind, key, value);
  }

  /** Decodes stored bytes, without a check; throws `CodecError`. */
  decode(kind: string, key: string, bytes: Uint8Array): unknown {
    return this.#config.codecs.decode(kind, key, bytes);
  }

  /** Whether the kind's codec can decode text as well as bytes. */
  isText(kind: string): boolean {
    return this.#config.codecs.isText(kind);
  }

  /**
   * Decodes stored bytes, and checks the value if that is set. Returns a
   * promise if the schema is asynchronous.
   */
  read(kind: string, key: string, bytes: Uint8Array): MaybePromise<unknown> {
    return this.#checked(kind, key, this.decode(kind, key, bytes));
  }

  /** The same, for a value that may have been read as text. */
  readStored(kind: string, stored: EncodedEntry): MaybePromise<unknown> {
    const text = this.isText(kind) ? stored.text : undefined;
    const value = text === undefined
      ? this.decode(kind, stored.key, stored.value)
      : this.#config.codecs.decodeText(kind, stored.key, text);
    return this.#checked(kind, stored.key, value);
  }

  #checked(kind: string, key: string, value: unknown): MaybePromise<unknown> {
    const { schemas, validateReads } = this.#config;
    return validateReads
      ? schemas.validate(kind, key, value, (valid) => valid)
      : value;
  }

  /**
   * Why a stored value cannot be read; nothing if it can. Returns a promise if
   * the schema is asynchronous.
   */
  problemOf(
    kind: string,
    key: string,
    bytes: Uint8Array,
  ): MaybePromise<string | undefined> {
    const problem = (error: unknown) => {
      if (error instanceof StoreError) return error.message;
      throw error;
    };
    try {
      const read = this.read(kind, key, bytes);
      return isPromise(read) ? read.then(() => undefined, problem) : undefined;
    } catch (error) {
      return problem(error);
    }
  }

  /** Whether `equals` decides if a write is a change. */
  get areCompared(): boolean {
    return this.#config.equals !== undefined;
  }

  /**
   * Whether a value counts as equal to the stored one. Both are encoded. It
   * decodes the new value again, because the caller may have changed the
   * original.
   */
  areEqual(
    kind: string,
    key: string,
    stored: Uint8Array,
    bytes: Uint8Array,
  ): boolean {
    let previous: unknown;
    try {
      previous = this.decode(kind, key, stored);
    } catch (error) {
      // A value that cannot be read may be overwritten.
      if (error instanceof CodecError) return false;
      throw error;
    }
    const next = this.decode(kind, key, bytes.slice());
    const equal: unknown = this.#config.equals!(kind, previous, next);
    if (typeof equal === "boolean") return equal;
    const what = `Cannot compare the values of ${quote(kind, key)}: "equals"`;
    // A promise would count as true, and the write would be lost.
    throw new TypeError(
      isPromise(equal)
        ? `${what} returned a promise, and a transaction cannot wait for it`
        : `${what} returns a boolean, received ${describe(equal)}`,
    );
  }
}

/** An item with its value, which is present. */
export type Settled<Item> = Omit<Item, "value"> & {
  readonly value:
    | Prepared
    | Exclude<
      Item extends { readonly value: infer Value } ? Value : never,
      MaybePromise<Prepared>
    >;
};

/** Waits for the missing values, if there are any. */
export function settleAll<
  Item extends { readonly value: MaybePromise<Prepared> | undefined },
>(items: readonly Item[]): MaybePromise<readonly Settled<Item>[]> {
  return items.some(({ value }) => isPromise(value))
    ? settleInSlices(items)
    : items as readonly unknown[] as readonly Settled<Item>[];
}

/** Rejects as soon as one of the values rejects. */
async function settleInSlices<
  Item extends { readonly value: MaybePromise<Prepared> | undefined },
>(items: readonly Item[]): Promise<readonly Settled<Item>[]> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // It may reject before somebody waits for it.
  promise.catch(() => {});
  const settled: unknown[] = [...items];
  const slice = new Slice();
  let left = 1;
  const settleOne = () => {
    if (--left === 0) resolve();
  };
  for (const [i, item] of items.entries()) {
    if (!isPromise(item.value)) continue;
    left++;
    item.value.then((value) => {
      settled[i] = { ...item, value };
      settleOne();
    }, reject);
    if (slice.isUsedUp) await slice.nextTurn();
  }
  settleOne();
  await promise;
  return settled as Settled<Item>[];
}

/** A value that may come later. It is present when `ready` has resolved. */
export class Eventual<T> {
  readonly ready?: Promise<unknown>;
  #value: T | undefined;

  /** Takes the value, or a promise of it. */
  constructor(value: MaybePromise<T>) {
    if (!isPromise(value)) {
      this.#value = value;
      return;
    }
    this.ready = Promise.resolve(value).then((it) => this.#value = it as T);
    // The write may be refused before it waits for this promise.
    this.ready.catch(() => {});
  }

  /** The value, when it is present. */
  get value(): T {
    return this.#value as T;
  }
}
