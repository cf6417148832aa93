/**
 * The formats of buffers and their views.
 *
 * If a view has its buffer to itself, only the part that it sees is written:
 * the rest may be large and unrelated. If several parts of a value share a
 * buffer, the whole buffer is written, and they share it again when they are
 * read.
 *
 * @module
 */
import { types } from "node:util";
import { platform } from "../../../base/platform.ts";
import { classOf } from "../unrepresentable.ts";
import type { Encoder, Form } from "./encoder.ts";
import { Tag, VIEW_CLASSES } from "./format.ts";
import { assertNone } from "./properties.ts";

const buffer: Form = {
  is: types.isArrayBuffer,
  write(encoder, value: ArrayBuffer) {
    assertKept(encoder, value);
    encoder.buffers.meet(value);
    writeBytes(encoder, new Uint8Array(value));
  },
};

/** The format of a class of views that has a tag. */
function viewForm(classTag: number, prototype: object): Form {
  return {
    is: isViewOf(prototype),
    numbersItself: true,
    write(encoder, value: ArrayBufferView) {
      assertNoNames(encoder, value);
      const byteOffset = writeBufferOf(encoder, value);
      encoder.number(value);
      encoder.out.byte(Tag.view);
      encoder.out.byte(classTag);
      encoder.out.varint(byteOffset);
      encoder.out.varint(value.byteLength);
      // Views have no flags.
      encoder.out.varint(0);
    },
  };
}

/** Writes the buffer of a view. Returns the place in it where the view begins. */
function writeBufferOf(encoder: Encoder, view: ArrayBufferView): number {
  const { buffer } = view;
  if (!types.isArrayBuffer(buffer)) {
    throw encoder.refusal("a view of a SharedArrayBuffer");
  }
  assertKept(encoder, buffer);
  const { byteOffset, byteLength } = view;
  if (encoder.buffers.isShared(buffer)) {
    encoder.writeObject(buffer);
    return byteOffset;
  }
  encoder.buffers.meet(buffer);
  // A buffer has a number, too.
  encoder.number();
  writeBytes(encoder, new Uint8Array(buffer, byteOffset, byteLength));
  return 0;
}

/** Distinguishes views of a class from other objects with the same prototype. */
function isViewOf(prototype: object): (value: object) => boolean {
  const name = prototype === DataView.prototype
    ? undefined
    : prototype.constructor.name;
  return (value) => ArrayBuffer.isView(value) && classNameOf(value) === name;
}

const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
const { get: tagOf } = Object.getOwnPropertyDescriptor(
  TypedArrayPrototype,
  Symbol.toStringTag,
)!;

/** The class name of a typed array, even if its prototype was changed; `undefined` for a `DataView`. */
function classNameOf(value: ArrayBufferView): unknown {
  return tagOf!.call(value);
}

/** Throws if a buffer is of a kind that would be read as another kind. */
function assertKept(encoder: Encoder, buffer: ArrayBuffer): void {
  if (buffer.detached) throw encoder.refusal("a detached ArrayBuffer");
  if (buffer.resizable) throw encoder.refusal("a resizable ArrayBuffer");
  if (Object.getPrototypeOf(buffer) !== ArrayBuffer.prototype) {
    throw encoder.refusal(classOf(buffer));
  }
  assertNone(encoder, buffer);
}

function writeBytes(encoder: Encoder, bytes: Uint8Array): void {
  if (bytes.length >= 2 ** 32) {
    throw encoder.refusal("an ArrayBuffer of 4 GiB or more");
  }
  encoder.out.byte(Tag.arrayBuffer);
  encoder.out.varint(bytes.length);
  encoder.out.raw(bytes);
}

/** How many elements may be listed. A longer list takes too long. */
const FEW_ELEMENTS = 64;

/** Throws if a view has properties besides its elements. */
function assertNoNames(encoder: Encoder, view: ArrayBufferView): void {
  const length = "length" in view ? view.length as number : 0;
  if (length > FEW_ELEMENTS && showsNoNames(view)) return;
  // The indexes of its elements come first.
  assertNone(encoder, view, Reflect.ownKeys(view).slice(length));
}

/**
 * Whether a view evidently has no properties besides its elements. JavaScript
 * can answer this only by listing all elements, too.
 */
function showsNoNames(view: ArrayBufferView): boolean {
  if (Object.getOwnPropertySymbols(view).length > 0) return false;
  const text = platform.inspectProperties(view);
  return text.split("\n").length === LINES_WITHOUT_NAMES;
}

/** The brackets, the number of elements, and the five properties that every view has. */
const LINES_WITHOUT_NAMES = 8;

/** The formats, by prototype. */
export const BUFFER_FORMS: readonly [prototype: unknown, form: Form][] = [
  [ArrayBuffer.prototype, buffer],
  ...[...VIEW_CLASSES].map(([tag, { prototype }]): [unknown, Form] => [
    prototype,
    viewForm(tag, prototype),
  ]),
];
