/**
 * Writes any value as YAML on one line, similar to JSON. A value that YAML
 * cannot express has a tag with the name of its class, such as `!RegExp "/a/"`.
 *
 * The invariant: each object is written once. If it occurs again, an alias
 * stands for it, so cycles end.
 *
 * @module
 */
import { toBase64 } from "../../base/byte_texts.ts";
import { exactDigits } from "../codecs/exact_json.ts";
import { repeatedObjects } from "../parts.ts";
import { escapeJson } from "../../base/escape.ts";

/** A value on one line. */
export function flowText(value: unknown): string {
  return new FlowWriter(value).write(value);
}

class FlowWriter {
  readonly #repeated: ReadonlySet<object>;
  readonly #anchors = new Map<object, number>();

  constructor(value: unknown) {
    this.#repeated = repeatedObjects(value);
  }

  write(value: unknown): string {
    switch (typeof value) {
      case "string":
        return escapeJson(JSON.stringify(value));
      case "number":
        return numberText(value);
      case "undefined":
        return '!undefined ""';
      case "object":
        return value === null ? "null" : this.#writeObject(value);
      default:
        return String(value);
    }
  }

  #writeObject(value: object): string {
    const anchor = this.#anchors.get(value);
    if (anchor !== undefined) return `*${anchor}`;
    if (!this.#repeated.has(value)) return this.#writeOnce(value);
    const next = this.#anchors.size + 1;
    this.#anchors.set(value, next);
    return `&${next} ${this.#writeOnce(value)}`;
  }

  #writeOnce(value: object): string {
    const digits = exactDigits(value);
    if (digits !== undefined) return digits;
    if (Array.isArray(value)) return this.#writeArray(value);
    if (value instanceof Date) return dateText(value);
    if (value instanceof Map) return this.#writeMap(value);
    if (value instanceof Set) return this.#writeSet(value);
    if (value instanceof Error) return this.#writeError(value);
    if (value instanceof RegExp) {
      return tagged("RegExp", this.write(`${value}`));
    }
    if (ArrayBuffer.isView(value)) return this.#writeView(value);
    if (value instanceof ArrayBuffer) {
      return tagged("ArrayBuffer", base64(new Uint8Array(value)));
    }
    if (BOXES.some((Box) => value instanceof Box)) {
      return tagged(value.constructor.name, this.write(value.valueOf()));
    }
    return this.#writeMapping(Object.entries(value));
  }

  #writeArray(value: readonly unknown[]): string {
    const names = Object.keys(value);
    const isPlain = names.length === value.length &&
      (names.length === 0 || names.at(-1) === String(value.length - 1));
    if (isPlain) return this.#writeItems(value);
    // The array has holes or named properties.
    const entries = Object.entries(value);
    return tagged(
      "Array",
      this.#writeMapping([["length", value.length], ...entries]),
    );
  }

  #writeItems(items: Iterable<unknown>): string {
    return `[${Array.from(items, (item) => this.write(item)).join(", ")}]`;
  }

  #writeMapping(entries: Iterable<readonly [unknown, unknown]>): string {
    const pairs = Array.from(entries, (entry) => this.#writePair(entry));
    return `{${pairs.join(", ")}}`;
  }

  #writePair([key, value]: readonly [unknown, unknown]): string {
    const text = this.write(key);
    // Without the space, the colon would be a part of the alias.
    return `${text}${text.startsWith("*") ? " " : ""}: ${this.write(value)}`;
  }

  #writeMap(value: ReadonlyMap<unknown, unknown>): string {
    const pairs = Array.from(value, (entry) => `{${this.#writePair(entry)}}`);
    return `!!omap [${pairs.join(", ")}]`;
  }

  #writeSet(value: ReadonlySet<unknown>): string {
    const pairs = Array.from(value, (item) => this.#writePair([item, null]));
    return `!!set {${pairs.join(", ")}}`;
  }

  #writeError(error: Error): string {
    const names = ["message", "stack", "cause"] as const;
    const own = names.filter((name) => Object.hasOwn(error, name));
    const mapping = this.#writeMapping(own.map((name) => [name, error[name]]));
    return tagged(error.constructor.name, mapping);
  }

  #writeView(view: ArrayBufferView): string {
    if (view instanceof Uint8Array) return `!!binary ${base64(view)}`;
    const { name } = view.constructor;
    if (!(view instanceof DataView)) {
      return tagged(
        name,
        this.#writeItems(view as unknown as Iterable<number>),
      );
    }
    const { buffer, byteOffset, byteLength } = view;
    return tagged(name, base64(new Uint8Array(buffer, byteOffset, byteLength)));
  }
}

/** The classes of the objects of primitives. */
const BOXES = [String, Number, Boolean, BigInt];

function tagged(tag: string, text: string): string {
  return `!${tag} ${text}`;
}

function base64(bytes: Uint8Array): string {
  return `"${toBase64(bytes)}"`;
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? '!Date ""' : date.toISOString();
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : `${value}`;
  return value > 0 ? ".inf" : "-.inf";
}
