/**
 * Decodes V8's structured clone from untrusted bytes. Invalid bytes are a
 * `SyntaxError`.
 *
 * The invariants: decoding takes memory in proportion to the bytes, calls
 * itself at most `MAX_DEPTH` levels deep, and returns plain data that shares
 * nothing with the bytes.
 *
 * @module
 */
import { ByteReader } from "./byte_reader.ts";
import {
  ERROR_CLASSES,
  type ErrorClass,
  ErrorTag,
  HEADER,
  isIndexName,
  MAX_DEPTH,
  REGEXP_FLAGS,
  Tag,
  VIEW_CLASSES,
} from "./format.ts";

/** Decodes bytes to a value. */
export function decode(bytes: Uint8Array): unknown {
  return new Decoder(bytes).decode();
}

/** One run over bytes. */
class Decoder {
  readonly #in: ByteReader;
  /** The objects so far, by number. */
  readonly #objects: object[] = [];
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#in = new ByteReader(bytes);
  }

  decode(): unknown {
    const [mark, version] = HEADER;
    if (this.#in.byte() !== mark) {
      throw this.#in.error("this is no structured clone of V8");
    }
    const found = this.#in.byte();
    if (found !== version) {
      throw this.#in.error(
        `expected version ${version} of the format, found ${found}`,
      );
    }
    const value = this.#read();
    if (this.#in.left > 0) {
      throw this.#in.error("more bytes follow after the value");
    }
    return value;
  }

  #read(): unknown {
    const tag = this.#in.tag();
    switch (tag) {
      case Tag.undefined:
        return undefined;
      case Tag.null:
        return null;
      case Tag.true:
        return true;
      case Tag.false:
        return false;
      case Tag.int32:
        return this.#in.int32();
      case Tag.uint32:
        return this.#in.varint();
      case Tag.double:
        return this.#in.double();
      case Tag.bigint:
        return this.#in.bigint();
    }
    return this.#in.text(tag) ?? this.#readObject(tag);
  }

  #readObject(tag: number): object {
    const object = tag === Tag.reference
      ? this.#readReference()
      : this.#readNewObject(tag);
    const isSeen = object instanceof ArrayBuffer &&
      this.#in.peekTag() === Tag.view;
    return isSeen ? this.#readView(object) : object;
  }

  #readNewObject(tag: number): object {
    if (this.#depth >= MAX_DEPTH) {
      throw this.#in.error(`there are more than ${MAX_DEPTH} levels`);
    }
    this.#depth++;
    const object = this.#readOfClass(tag);
    this.#depth--;
    return object;
  }

  #readOfClass(tag: number): object {
    switch (tag) {
      case Tag.object:
        return this.#readPlainObject();
      case Tag.denseArray:
        return this.#readDenseArray();
      case Tag.sparseArray:
        return this.#readSparseArray();
      case Tag.map:
        return this.#readMap();
      case Tag.set:
        return this.#readSet();
      case Tag.date:
        return this.#add(new Date(this.#in.double()));
      case Tag.regExp:
        return this.#readRegExp();
      case Tag.error:
        return this.#readError();
      case Tag.arrayBuffer:
        return this.#add(this.#in.raw(this.#in.varint()).buffer);
      case Tag.trueObject:
        return this.#add(Object(true));
      case Tag.falseObject:
        return this.#add(Object(false));
      case Tag.numberObject:
        return this.#add(Object(this.#in.double()));
      case Tag.bigintObject:
        return this.#add(Object(this.#in.bigint()));
      case Tag.stringObject:
        return this.#add(Object(this.#in.string()));
    }
    throw this.#in.error(`the byte ${tag} announces no value`);
  }

  /** Gives an object its number. */
  #add<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  #readReference(): object {
    const object = this.#objects.at(this.#in.varint());
    if (object) return object;
    throw this.#in.error("a reference is to no object before it");
  }

  #readPlainObject(): object {
    const object = this.#add({});
    this.#readProperties(object, Tag.objectEnd);
    return object;
  }

  #readDenseArray(): unknown[] {
    const length = this.#in.varint();
    // Each item has at least one byte.
    this.#in.need(length);
    const array: unknown[] = this.#add([]);
    for (let i = 0; i < length; i++) {
      if (this.#in.peekTag() !== Tag.hole) array.push(this.#read());
      else {
        this.#in.tag();
        array.length++;
      }
    }
    this.#readProperties(array, Tag.denseArrayEnd);
    this.#assertCount(length);
    return array;
  }

  #readSparseArray(): unknown[] {
    const length = this.#in.varint();
    const array: unknown[] = this.#add([]);
    // V8 reserves room for all items of an array, unless its length is too
    // large for that.
    if (length > this.#in.left) array.length = 2 ** 32 - 1;
    array.length = length;
    this.#readProperties(array, Tag.sparseArrayEnd);
    this.#assertCount(length);
    return array;
  }

  #readMap(): Map<unknown, unknown> {
    const map = this.#add(new Map<unknown, unknown>());
    while (!this.#ends(Tag.mapEnd)) {
      const key = this.#read();
      if (map.has(key)) throw this.#in.error("a key comes twice");
      map.set(key, this.#read());
    }
    this.#assertCount(2 * map.size);
    return map;
  }

  #readSet(): Set<unknown> {
    const set = this.#add(new Set<unknown>());
    while (!this.#ends(Tag.setEnd)) {
      const item = this.#read();
      if (set.has(item)) throw this.#in.error("an item of a set comes twice");
      set.add(item);
    }
    this.#assertCount(set.size);
    return set;
  }

  #readRegExp(): RegExp {
    const source = this.#in.string();
    let rest = this.#in.varint();
    let letters = "";
    for (const [letter, flag] of REGEXP_FLAGS) {
      if (!(rest & flag)) continue;
      letters += letter;
      rest ^= flag;
    }
    if (rest !== 0) throw this.#in.error("a RegExp has an unknown flag");
    try {
      return this.#add(new RegExp(source, letters));
    } catch {
      // The engine's message contains the whole pattern.
      throw this.#in.error("a RegExp has a wrong pattern, or wrong flags");
    }
  }

  #readError(): Error {
    const peeked = this.#in.peekTag();
    const Class = ERROR_CLASSES.get(peeked!);
    if (Class) this.#in.tag();
    const error = this.#add(bareError(Class ?? Error));
    for (;;) {
      const tag = this.#in.tag();
      switch (tag) {
        case ErrorTag.message:
          this.#setOnce(error, "message", this.#in.string());
          break;
        case ErrorTag.stack:
          this.#setOnce(error, "stack", this.#in.string());
          break;
        case ErrorTag.cause:
          this.#setOnce(error, "cause", this.#read());
          break;
        case ErrorTag.end:
          return error;
        default:
          throw this.#in.error(`the byte ${tag} announces no part of an error`);
      }
    }
  }

  #setOnce(error: Error, name: string, value: unknown): void {
    if (Object.hasOwn(error, name)) {
      throw this.#in.error(`the ${name} of an error comes twice`);
    }
    Object.defineProperty(error, name, {
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }

  #readView(buffer: ArrayBuffer): ArrayBufferView {
    this.#in.tag();
    const Class = VIEW_CLASSES.get(this.#in.byte());
    if (!Class) throw this.#in.error("a view is of no known class");
    const byteOffset = this.#in.varint();
    const byteLength = this.#in.varint();
    if (this.#in.varint() !== 0) {
      throw this.#in.error("a view is of a resizable ArrayBuffer");
    }
    const { BYTES_PER_ELEMENT: size = 1 } = Class;
    if (byteOffset % size !== 0 || byteLength % size !== 0) {
      throw this.#in.error("a view begins or ends within an element");
    }
    if (byteOffset + byteLength > buffer.byteLength) {
      throw this.#in.error("a view is larger than its buffer");
    }
    return this.#add(new Class(buffer, byteOffset, byteLength / size));
  }

  /** Reads properties up to a tag, and their number. */
  #readProperties(object: object, end: number): void {
    let count = 0;
    for (; !this.#ends(end); count++) {
      const name = this.#readName(object);
      setOwn(object, name, this.#read());
    }
    this.#assertCount(count);
  }

  #readName(object: object): string {
    const read = this.#read();
    if (typeof read !== "string" && !isIndex(read)) {
      throw this.#in.error("a property has no name");
    }
    const name = String(read);
    if (Object.hasOwn(object, name)) {
      throw this.#in.error("a property comes twice");
    }
    if (
      Array.isArray(object) && isIndexName(name) &&
      Number(name) >= object.length
    ) {
      throw this.#in.error("an index is past the end of its array");
    }
    return name;
  }

  #ends(tag: number): boolean {
    if (this.#in.peekTag() !== tag) return false;
    this.#in.tag();
    return true;
  }

  /** Reads a number, and checks that it is the expected one. */
  #assertCount(count: number): void {
    if (this.#in.varint() === count) return;
    throw this.#in.error("the count of what is in an object is wrong");
  }
}

/** An error without properties. */
function bareError(Class: ErrorClass): Error {
  const error = new Class();
  delete error.stack;
  return error;
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && isIndexName(String(value));
}

/** Sets an own property, whatever its name is. */
function setOwn(object: object, name: string, value: unknown): void {
  if (name !== "__proto__") {
    (object as Record<string, unknown>)[name] = value;
    return;
  }
  const own = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(object, name, own);
}
