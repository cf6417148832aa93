/**
 * The codecs of kinds. Their errors name the entry.
 *
 * @module
 */
import { describe, quote, reasonOf } from "../../base/messages.ts";
import { CodecError } from "../../contract/errors.ts";
import { assertName } from "../../keys/names.ts";
import { isRecord } from "../../base/options.ts";
import type { Codec } from "./codec.ts";
import { json } from "./json.ts";

const encoder = new TextEncoder();

/**
 * A codec for each named kind. A codec of any value, such as JSON, can be used
 * for every kind: TypeScript then assumes that decoded values have the kind's
 * type.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export type CodecsByKind<Kinds extends object> = {
  readonly [Kind in keyof Kinds]?: Codec | Codec<Kinds[Kind]>;
};

/**
 * One codec for all kinds, or a codec for each named kind and JSON for the
 * others.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export type CodecOption<Kinds extends object> =
  | Codec
  | Codec<Kinds[keyof Kinds]>
  | CodecsByKind<Kinds>;

/** The codecs of a store's kinds. */
export class KindCodecs {
  readonly #fallback: Codec;
  readonly #byKind: ReadonlyMap<string, Codec>;

  /** Takes the `codec` option. Throws a `TypeError` if it is invalid. */
  constructor(option: unknown = json) {
    if (isCodec(option)) {
      this.#fallback = option;
      this.#byKind = new Map();
      return;
    }
    if (!isRecord(option)) throw notCodec(option);
    this.#fallback = json;
    this.#byKind = new Map(Object.entries(option));
    for (const [kind, codec] of this.#byKind) {
      assertName("kind", kind);
      if (!isCodec(codec)) throw notCodec(codec);
    }
  }

  /** The name of the codec for kinds without a codec of their own. */
  get fallbackName(): string {
    return this.#fallback.name;
  }

  /** The kinds that have a codec of their own. */
  get namedKinds(): string[] {
    return [...this.#byKind.keys()];
  }

  /** The name of a kind's codec. */
  nameOf(kind: string): string {
    return this.#codecOf(kind).name;
  }

  /** Encodes a value to new bytes; throws `CodecError`. */
  encode(kind: string, key: string, value: unknown): Uint8Array {
    const codec = this.#codecOf(kind);
    try {
      const bytes: unknown = codec.encode(value);
      if (bytes instanceof Uint8Array) {
        // The codec may return its input, or a buffer that it reuses, but the
        // bytes are written later.
        return codec.givesOwnBytes ? bytes : new Uint8Array(bytes);
      }
      throw new TypeError(`it gave ${describe(bytes)}, not a Uint8Array`);
    } catch (cause) {
      throw failed("encode", codec, kind, key, cause);
    }
  }

  /** Decodes a stored value; throws `CodecError`. */
  decode(kind: string, key: string, bytes: Uint8Array): unknown {
    const codec = this.#codecOf(kind);
    try {
      return codec.decode(bytes);
    } catch (cause) {
      throw failed("decode", codec, kind, key, cause);
    }
  }

  /** Whether the kind's codec can decode text as well as bytes. */
  isText(kind: string): boolean {
    return this.#codecOf(kind) === json;
  }

  /** Decodes a stored value of such a kind from its text; throws `CodecError`. */
  decodeText(kind: string, key: string, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      // The codec accepts a little more, such as a byte order mark, or gives
      // the reason.
      return this.decode(kind, key, encoder.encode(text));
    }
  }

  #codecOf(kind: string): Codec {
    return this.#byKind.get(kind) ?? this.#fallback;
  }
}

function isCodec(value: unknown): value is Codec {
  const codec = value as Partial<Codec> | null | undefined;
  return typeof codec?.name === "string" &&
    typeof codec.encode === "function" && typeof codec.decode === "function";
}

function notCodec(value: unknown): TypeError {
  return new TypeError(
    `Cannot open store: "codec" must be a codec, or an object of codecs by kind, received ${
      describe(value)
    }`,
  );
}

function failed(
  action: string,
  codec: Codec,
  kind: string,
  key: string,
  cause: unknown,
): CodecError {
  return new CodecError(
    `Cannot ${action} the value of ${
      quote(kind, key)
    } with the codec "${codec.name}": ${reasonOf(cause)}`,
    { cause, kind, key },
  );
}
