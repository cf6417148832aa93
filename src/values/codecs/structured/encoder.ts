/**
 * Writes a value of any class, part by part, and knows the place of each part.
 *
 * @module
 */
import { types } from "node:util";
import { classOf, unrepresentable } from "../unrepresentable.ts";
import type { BufferUses } from "./buffer_uses.ts";
import { ByteWriter } from "./byte_writer.ts";
import { HEADER, isIndexName, MAX_DEPTH, Tag } from "./format.ts";

/** The format of the objects of a class. */
export interface Form {
  /** Whether an object is really of the class: another object may have borrowed its prototype. */
  is(value: object): boolean;
  /** Writes an object. Throws a `TypeError` if a part of it would be lost. */
  write(encoder: Encoder, value: never): void;
  /** Whether `write` itself gives the object its number. */
  readonly numbersItself?: boolean;
}

/** A step from an object to a part of it: a property's name, or a description such as ".keys()[0]". */
export type Step = string | number | (() => string);

/** One run over a value. */
export class Encoder {
  /** The bytes written so far. */
  readonly out: ByteWriter = new ByteWriter();
  /** The buffers met so far. */
  readonly buffers: BufferUses;
  readonly #forms: ReadonlyMap<unknown, Form>;
  /** The number of each object so far. */
  readonly #numbers = new Map<object, number>();
  #count = 0;
  /** The path from the value to the present part. */
  readonly #path: Step[] = [];

  /** Takes the format of each class, by prototype, and the shared buffers. */
  constructor(forms: ReadonlyMap<unknown, Form>, buffers: BufferUses) {
    this.#forms = forms;
    this.buffers = buffers;
    for (const byte of HEADER) this.out.byte(byte);
  }

  /** Writes a part of an object, and the step from the object to it. */
  writePart(step: Step, part: unknown): void {
    this.#path.push(step);
    this.write(part);
    this.#path.pop();
  }

  /** Writes a value. */
  write(value: unknown): void {
    switch (typeof value) {
      case "string":
        return this.out.string(value);
      case "number":
        return this.out.number(value);
      case "boolean":
        return this.out.byte(value ? Tag.true : Tag.false);
      case "undefined":
        return this.out.byte(Tag.undefined);
      case "bigint":
        this.out.byte(Tag.bigint);
        return this.out.bigint(value);
      case "object":
        if (value === null) return this.out.byte(Tag.null);
        return this.writeObject(value);
      default:
        throw this.refusal(`a ${typeof value}`);
    }
  }

  /** Writes an object, or a reference to it if it has been written. */
  writeObject(value: object): void {
    const number = this.#numbers.get(value);
    if (number !== undefined) {
      this.out.byte(Tag.reference);
      return this.out.varint(number);
    }
    if (types.isProxy(value)) throw this.refusal("a Proxy");
    if (this.#path.length >= MAX_DEPTH) {
      throw unrepresentable("structured", `more than ${MAX_DEPTH} levels`, "");
    }
    const form = this.#forms.get(Object.getPrototypeOf(value));
    if (!form?.is(value)) throw this.refusal(classOf(value));
    if (!form.numbersItself) this.number(value);
    form.write(this, value as never);
  }

  /**
   * Gives an object the next number, which references to it use. Without an
   * object, it skips a number.
   */
  number(value?: object): void {
    if (value) this.#numbers.set(value, this.#count);
    this.#count++;
  }

  /** Makes the error for the part that is being written, or for a part of it. */
  refusal(what: string, ...steps: Step[]): TypeError {
    const path = [...this.#path, ...steps].map(pathOf).join("");
    return unrepresentable("structured", what, path);
  }
}

function pathOf(step: Step): string {
  if (typeof step === "function") return step();
  return typeof step === "number" || isIndexName(step)
    ? `[${step}]`
    : `.${step}`;
}
