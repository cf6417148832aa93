/**
 * The formats of objects with one scalar: dates, regular expressions, and the
 * objects of primitives.
 *
 * @module
 */
import { types } from "node:util";
import type { Form } from "./encoder.ts";
import { REGEXP_FLAGS, Tag } from "./format.ts";
import { assertNone } from "./properties.ts";

const date: Form = {
  is: types.isDate,
  write(encoder, value: Date) {
    assertNone(encoder, value);
    encoder.out.byte(Tag.date);
    encoder.out.double(value.getTime());
  },
};

const regExp: Form = {
  is: types.isRegExp,
  write(encoder, value: RegExp) {
    const names = Reflect.ownKeys(value);
    assertNone(encoder, value, names.filter((name) => name !== "lastIndex"));
    if (!Object.is(value.lastIndex, 0)) {
      throw encoder.refusal("a RegExp whose lastIndex is not 0");
    }
    encoder.out.byte(Tag.regExp);
    encoder.out.string(value.source);
    let flags = 0;
    for (const letter of value.flags) flags |= REGEXP_FLAGS.get(letter)!;
    encoder.out.varint(flags);
  },
};

const booleanObject: Form = {
  is: types.isBooleanObject,
  // deno-lint-ignore ban-types -- it is an object of this class
  write(encoder, value: Boolean) {
    assertNone(encoder, value);
    encoder.out.byte(value.valueOf() ? Tag.trueObject : Tag.falseObject);
  },
};

const numberObject: Form = {
  is: types.isNumberObject,
  // deno-lint-ignore ban-types -- it is an object of this class
  write(encoder, value: Number) {
    assertNone(encoder, value);
    encoder.out.byte(Tag.numberObject);
    encoder.out.double(value.valueOf());
  },
};

const bigintObject: Form = {
  is: types.isBigIntObject,
  // deno-lint-ignore ban-types -- it is an object of this class
  write(encoder, value: BigInt) {
    assertNone(encoder, value);
    encoder.out.byte(Tag.bigintObject);
    encoder.out.bigint(value.valueOf());
  },
};

const stringObject: Form = {
  is: types.isStringObject,
  // deno-lint-ignore ban-types -- it is an object of this class
  write(encoder, value: String) {
    // The indexes of its characters come first, then its length.
    const names = Reflect.ownKeys(value).slice(value.length);
    assertNone(encoder, value, names.filter((name) => name !== "length"));
    encoder.out.byte(Tag.stringObject);
    encoder.out.string(value.valueOf());
  },
};

/** The formats, by prototype. */
export const SCALAR_OBJECT_FORMS: readonly [
  prototype: unknown,
  form: Form,
][] = [
  [Date.prototype, date],
  [RegExp.prototype, regExp],
  [Boolean.prototype, booleanObject],
  [Number.prototype, numberObject],
  [BigInt.prototype, bigintObject],
  [String.prototype, stringObject],
];
