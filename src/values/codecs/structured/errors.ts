/**
 * The formats of errors: class, message, cause and stack.
 *
 * @module
 */
import { types } from "node:util";
import { classOf } from "../unrepresentable.ts";
import type { Encoder, Form } from "./encoder.ts";
import { ERROR_CLASSES, ErrorTag, Tag } from "./format.ts";
import { assertNone } from "./properties.ts";

const KEPT: readonly unknown[] = ["message", "stack", "cause"];

/** The format of a class of errors that has a tag, or of `Error`, which has none. */
function errorForm(classTag?: number): Form {
  return {
    is: types.isNativeError,
    write(encoder, value: Error) {
      const names = Reflect.ownKeys(value);
      assertNone(encoder, value, names.filter((name) => !KEPT.includes(name)));
      encoder.out.byte(Tag.error);
      if (classTag !== undefined) encoder.out.byte(classTag);
      writeText(encoder, value, "message");
      writeText(encoder, value, "stack");
      writeCause(encoder, value);
      encoder.out.byte(ErrorTag.end);
    },
  };
}

function writeText(
  encoder: Encoder,
  value: Error,
  name: "message" | "stack",
): void {
  if (!has(encoder, value, name)) return;
  const text: unknown = value[name];
  if (typeof text !== "string") {
    throw encoder.refusal(`a ${name} that is not a string`, name);
  }
  encoder.out.byte(ErrorTag[name]);
  encoder.out.string(text);
}

function writeCause(encoder: Encoder, value: Error): void {
  if (!has(encoder, value, "cause")) return;
  encoder.out.byte(ErrorTag.cause);
  encoder.writePart("cause", value.cause);
}

/** The getter that V8 gives every error for its stack, if the stack is not a plain property. */
const readStack = Object.getOwnPropertyDescriptor(new Error(), "stack")?.get;

/**
 * Whether an error has a property. Throws if the property would be read as
 * another kind of property.
 */
function has(encoder: Encoder, value: Error, name: string): boolean {
  const property = Object.getOwnPropertyDescriptor(value, name);
  if (!property) return false;
  if (property.enumerable) {
    const what = `${classOf(value)} with an enumerable property`;
    throw encoder.refusal(what, name);
  }
  if (property.get && property.get !== readStack) {
    throw encoder.refusal("a getter", name);
  }
  return true;
}

/** The formats, by prototype. */
export const ERROR_FORMS: readonly [prototype: unknown, form: Form][] = [
  [Error.prototype, errorForm()],
  ...[...ERROR_CLASSES].map(([tag, { prototype }]): [unknown, Form] => [
    prototype,
    errorForm(tag),
  ]),
];
