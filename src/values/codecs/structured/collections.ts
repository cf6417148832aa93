/**
 * The formats of plain objects, arrays, maps and sets.
 *
 * @module
 */
import { types } from "node:util";
import type { Encoder, Form } from "./encoder.ts";
import { Tag } from "./format.ts";
import { assertNone, enumerableData, writeProperties } from "./properties.ts";

const plainObject: Form = {
  is: isPlain,
  write(encoder, value: object) {
    const names = Reflect.ownKeys(value);
    encoder.out.byte(Tag.object);
    writeProperties(encoder, value, names);
    encoder.out.byte(Tag.objectEnd);
    encoder.out.varint(names.length);
  },
};

/**
 * Whether an object has only properties as content, and not the borrowed
 * prototype of a plain object.
 */
function isPlain(value: object): boolean {
  return Object.prototype.toString.call(value) === "[object Object]" &&
    !types.isMap(value) && !types.isSet(value) && !ArrayBuffer.isView(value) &&
    !types.isAnyArrayBuffer(value) && !types.isPromise(value);
}

const array: Form = {
  is: Array.isArray,
  write(encoder, value: readonly unknown[]) {
    const { length } = value;
    // Indexes come first, in order.
    const names = Reflect.ownKeys(value).filter((name) => name !== "length");
    const isDense = length === 0 || names[length - 1] === String(length - 1);
    encoder.out.byte(isDense ? Tag.denseArray : Tag.sparseArray);
    encoder.out.varint(length);
    if (isDense) writeItems(encoder, value);
    const others = isDense ? names.slice(length) : names;
    writeProperties(encoder, value, others);
    encoder.out.byte(isDense ? Tag.denseArrayEnd : Tag.sparseArrayEnd);
    encoder.out.varint(others.length);
    encoder.out.varint(length);
  },
};

function writeItems(encoder: Encoder, value: readonly unknown[]): void {
  for (let i = 0; i < value.length; i++) {
    encoder.writePart(i, enumerableData(encoder, value, i));
  }
}

const map: Form = {
  is: types.isMap,
  write(encoder, value: ReadonlyMap<unknown, unknown>) {
    assertNone(encoder, value);
    encoder.out.byte(Tag.map);
    let i = 0;
    for (const [key, part] of value) {
      const index = i++;
      encoder.writePart(() => `.keys()[${index}]`, key);
      encoder.writePart(() => stepToValue(key, index), part);
    }
    encoder.out.byte(Tag.mapEnd);
    encoder.out.varint(2 * value.size);
  },
};

function stepToValue(key: unknown, index: number): string {
  return typeof key === "string"
    ? `.get(${JSON.stringify(key)})`
    : `.values()[${index}]`;
}

const set: Form = {
  is: types.isSet,
  write(encoder, value: ReadonlySet<unknown>) {
    assertNone(encoder, value);
    encoder.out.byte(Tag.set);
    let i = 0;
    for (const item of value) {
      const index = i++;
      encoder.writePart(() => `.values()[${index}]`, item);
    }
    encoder.out.byte(Tag.setEnd);
    encoder.out.varint(value.size);
  },
};

/** The formats, by prototype. */
export const COLLECTION_FORMS: readonly [prototype: unknown, form: Form][] = [
  [Object.prototype, plainObject],
  // It is read as a plain object, as with every other codec.
  [null, plainObject],
  [Array.prototype, array],
  [Map.prototype, map],
  [Set.prototype, set],
];
