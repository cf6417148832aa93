/**
 * The Protocol Buffers codec: messages of a schema, in the binary format.
 *
 * @module
 */
import {
  type DescField,
  type DescMessage,
  fromBinary,
  isMessage,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  FieldError,
  isReflectMessage,
  reflect,
  type ReflectMessage,
} from "@bufbuild/protobuf/reflect";
import type { Codec } from "./codec.ts";

/** The deepest nesting of messages that is decoded. Other languages have the same default. */
const MAX_DEPTH = 100;

/**
 * Makes a codec that stores the messages of one schema in the binary format.
 *
 * Equal messages have equal bytes: fields are in the order of their numbers,
 * and map entries in a fixed order. Fields of a newer schema are kept
 * unchanged.
 *
 * A value is checked before it is written. It is a `TypeError` if the value is
 * not a message of the schema, if a field's value does not have the field's
 * type, or if a property is not a field. As always in Protocol Buffers, a
 * `float` field keeps 32 bits of a number.
 *
 * @typeParam Desc The type of the schema.
 * @param schema The schema that `protoc-gen-es` generates for a message, or one
 * from a registry.
 * @returns The codec. Its name is "protobuf:" and the message's full name.
 *
 * @example
 * ```ts
 * import { protobuf } from "@zestor/store/protobuf";
 * import { create } from "@bufbuild/protobuf";
 * import { TimestampSchema } from "@bufbuild/protobuf/wkt";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const codec = protobuf(TimestampSchema);
 * assertEquals(codec.name, "protobuf:google.protobuf.Timestamp");
 *
 * const message = create(TimestampSchema, { seconds: 86400n });
 * assertEquals(codec.decode(codec.encode(message)), message);
 *
 * // @ts-expect-error A plain object is not a message.
 * assertThrows(() => codec.encode({ seconds: 86400n }), TypeError, "create");
 * ```
 */
export function protobuf<Desc extends DescMessage>(
  schema: Desc,
): Codec<MessageShape<Desc>> {
  return {
    name: `protobuf:${schema.typeName}`,
    encode(value: MessageShape<Desc>): Uint8Array {
      if (!isMessage(value, schema)) throw notAMessage(schema, value);
      return toBinary(schema, checkedCopy(schema, value));
    },
    decode(bytes: Uint8Array): MessageShape<Desc> {
      return fromBinary(schema, bytes);
    },
  };
}

function notAMessage(schema: DescMessage, value: unknown): TypeError {
  const received = isMessage(value)
    ? `a message of the type ${value.$typeName}`
    : value === null
    ? "null"
    : typeof value;
  return new TypeError(
    `Cannot encode a value that is not a ${schema.typeName}: received ${received}; make the message with create(${schema.name}Schema, { … })`,
  );
}

function checkedCopy<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): MessageShape<Desc> {
  try {
    const copy = canonical(reflect(schema, message), 1);
    return copy.message as MessageShape<Desc>;
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const text = `Cannot encode the ${error.field()}: ${error.message}`;
    throw new TypeError(text, { cause: error });
  }
}

/**
 * A copy with sorted map entries, because the library writes them in the order
 * in which they were set. Copying also checks each value. Writing does not
 * check: it would convert any value to a string.
 */
function canonical(source: ReflectMessage, depth: number): ReflectMessage {
  if (depth > MAX_DEPTH) {
    throw new TypeError(
      `Cannot encode messages nested more than ${MAX_DEPTH} deep: decoders refuse them`,
    );
  }
  assertOnlyFields(source);
  const copy = reflect(source.desc);
  for (const field of source.fields) {
    if (source.isSet(field)) copyField(source, copy, field, depth);
  }
  const unknown = source.getUnknown();
  if (unknown) copy.setUnknown(unknown);
  return copy;
}

function assertOnlyFields({ desc, message }: ReflectMessage): void {
  for (const name of Object.keys(message)) {
    if (name === "$typeName" || name === "$unknown") continue;
    if (desc.members.some(({ localName }) => localName === name)) continue;
    throw new TypeError(
      `Cannot encode the property ${name}: it is not a field of ${desc.typeName}`,
    );
  }
}

function copyField(
  source: ReflectMessage,
  copy: ReflectMessage,
  field: DescField,
  depth: number,
): void {
  switch (field.fieldKind) {
    case "list": {
      const list = copy.get(field);
      for (const item of source.get(field)) list.add(copyValue(item, depth));
      return;
    }
    case "map": {
      const entries = source.get(field);
      const map = copy.get(field);
      for (const key of [...entries.keys()].sort()) {
        map.set(key, copyValue(entries.get(key), depth));
      }
      return;
    }
    default:
      copy.set(field, copyValue(source.get(field), depth));
  }
}

function copyValue<Value>(value: Value, depth: number): Value | ReflectMessage {
  return isReflectMessage(value) ? canonical(value, depth + 1) : value;
}
