/**
 * The bytes of V8's structured clone, version 15 of its format. V8 reads all
 * earlier versions of its format, so other programs with V8 can read these
 * bytes.
 *
 * Source: V8's `src/objects/value-serializer.cc`.
 *
 * @module
 */

/** The bytes of every value begin with a mark, and the format's version. */
export const HEADER: readonly [mark: number, version: number] = [0xff, 15];

/** The deepest nesting of objects. Encoding and decoding call themselves at each level. */
export const MAX_DEPTH = 1000;

const code = (character: string) => character.charCodeAt(0);

/** The meaning of a tag byte. */
export const Tag = {
  padding: 0,
  undefined: code("_"),
  null: code("0"),
  true: code("T"),
  false: code("F"),
  int32: code("I"),
  uint32: code("U"),
  double: code("N"),
  bigint: code("Z"),
  utf8: code("S"),
  latin1: code('"'),
  utf16: code("c"),
  reference: code("^"),
  object: code("o"),
  objectEnd: code("{"),
  denseArray: code("A"),
  denseArrayEnd: code("$"),
  sparseArray: code("a"),
  sparseArrayEnd: code("@"),
  hole: code("-"),
  map: code(";"),
  mapEnd: code(":"),
  set: code("'"),
  setEnd: code(","),
  date: code("D"),
  regExp: code("R"),
  trueObject: code("y"),
  falseObject: code("x"),
  numberObject: code("n"),
  bigintObject: code("z"),
  stringObject: code("s"),
  arrayBuffer: code("B"),
  view: code("V"),
  error: code("r"),
} as const;

/** The meaning of a tag byte in an error. */
export const ErrorTag = {
  message: code("m"),
  stack: code("s"),
  cause: code("c"),
  end: code("."),
} as const;

/** A class of errors. */
export type ErrorClass = new () => Error;

/** The classes of errors, by tag byte. `Error` itself has none. */
export const ERROR_CLASSES: ReadonlyMap<number, ErrorClass> = new Map<
  number,
  ErrorClass
>([
  [code("E"), EvalError],
  [code("R"), RangeError],
  [code("F"), ReferenceError],
  [code("S"), SyntaxError],
  [code("T"), TypeError],
  [code("U"), URIError],
]);

/** A class of views of an `ArrayBuffer`. */
export type ViewClass = {
  new (
    buffer: ArrayBuffer,
    byteOffset: number,
    length: number,
  ): ArrayBufferView;
  readonly prototype: object;
  /** The bytes of an element; absent for a `DataView`. */
  readonly BYTES_PER_ELEMENT?: number;
};

/** Node.js has this class from version 24 on. */
const FLOAT16: [number, ViewClass][] = "Float16Array" in globalThis
  ? [[code("h"), Float16Array]]
  : [];

/** The classes of views, by tag byte. */
export const VIEW_CLASSES: ReadonlyMap<number, ViewClass> = new Map<
  number,
  ViewClass
>([
  [code("b"), Int8Array],
  [code("B"), Uint8Array],
  [code("C"), Uint8ClampedArray],
  [code("w"), Int16Array],
  [code("W"), Uint16Array],
  [code("d"), Int32Array],
  [code("D"), Uint32Array],
  ...FLOAT16,
  [code("f"), Float32Array],
  [code("F"), Float64Array],
  [code("q"), BigInt64Array],
  [code("Q"), BigUint64Array],
  [code("?"), DataView],
]);

/** The flags of a `RegExp`, by their letter. */
export const REGEXP_FLAGS: ReadonlyMap<string, number> = new Map([
  ["d", 128],
  ["g", 1],
  ["i", 2],
  ["m", 4],
  ["s", 32],
  ["u", 16],
  ["v", 256],
  ["y", 8],
]);

/** Whether a property's name is an index. The format stores indexes as numbers. */
export function isIndexName(name: string): boolean {
  const first = name.charCodeAt(0);
  // Most names are not indexes, as their first character shows.
  if (!(first >= 0x30 && first <= 0x39)) return false;
  const index = Number(name) >>> 0;
  return index < 2 ** 32 - 1 && String(index) === name;
}
