/**
 * Random values of what structured cloning keeps.
 *
 * @module
 */
import type { Random } from "./random.ts";

/** A value whose parts may be the same object, or contain each other. */
export function randomValue(random: Random): unknown {
  return new Maker(random).value(0);
}

const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float16Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

const CHARACTERS = ["a", "Z", "0", "é", "\xff", "€", "\ud83d", "\0", "."];

/** How many objects may be within each other. */
const DEEPEST = 5;

class Maker {
  readonly #random: Random;
  /** What may be met again. */
  readonly #objects: object[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  value(depth: number): unknown {
    const random = this.#random;
    if (depth >= DEEPEST || random.chance(0.3)) return this.#scalar(depth > 0);
    if (this.#objects.length > 0 && random.chance(0.1)) {
      return random.pick(this.#objects);
    }
    const makers = [
      this.#object,
      this.#array,
      this.#sparseArray,
      this.#map,
      this.#set,
      this.#view,
      this.#dated,
    ];
    return random.pick(makers).call(this, depth + 1);
  }

  #scalar(mayBeUndefined: boolean): unknown {
    const random = this.#random;
    const scalars: (() => unknown)[] = [
      () => null,
      () => random.chance(0.5),
      () => random.between(-100, 100),
      () => random.below(2 ** 32) - 2 ** 31,
      () => random.pick([NaN, -0, Infinity, 2 ** 31, 2 ** 53, 0.1, 1e300]),
      () => random.below(2 ** 32) / 7,
      () => this.#bigint(),
      () => this.#text(),
    ];
    if (mayBeUndefined) scalars.push(() => undefined);
    return random.pick(scalars)();
  }

  #bigint(): bigint {
    const hex = this.#random.bytes(this.#random.below(20)).toHex();
    const value = BigInt(`0x${hex || "0"}`);
    return this.#random.chance(0.5) ? -value : value;
  }

  #text(): string {
    const length = this.#random.pick([0, 1, 3, 10, 100]);
    const plain = this.#random.chance(0.5);
    const pick = () => plain ? "a" : this.#random.pick(CHARACTERS);
    return Array.from({ length }, pick).join("");
  }

  /** Notes an object, before its parts are made: they may contain it. */
  #note<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  #object(depth: number): object {
    const object = this.#note({});
    for (let count = this.#random.below(5); count > 0; count--) {
      this.#define(object, depth);
    }
    return object;
  }

  /** Defines a property, whatever its name. */
  #define(object: object, depth: number): void {
    const name = this.#random.pick([
      this.#text(),
      String(this.#random.below(10)),
      "__proto__",
      "constructor",
    ]);
    if (Array.isArray(object) && name === "length") return;
    Object.defineProperty(object, name, {
      value: this.value(depth),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }

  #array(depth: number): unknown[] {
    const array = this.#note([] as unknown[]);
    for (let count = this.#random.below(6); count > 0; count--) {
      array.push(this.value(depth));
    }
    if (this.#random.chance(0.1)) this.#define(array, depth);
    return array;
  }

  #sparseArray(depth: number): unknown[] {
    const array = this.#note(new Array(this.#random.below(20)));
    for (let i = 0; i < array.length; i++) {
      if (this.#random.chance(0.2)) array[i] = this.value(depth);
    }
    return array;
  }

  #map(depth: number): Map<unknown, unknown> {
    const map = this.#note(new Map());
    for (let count = this.#random.below(4); count > 0; count--) {
      map.set(this.value(depth), this.value(depth));
    }
    return map;
  }

  #set(depth: number): Set<unknown> {
    const set = this.#note(new Set());
    for (let count = this.#random.below(4); count > 0; count--) {
      set.add(this.value(depth));
    }
    return set;
  }

  #view(): object {
    const random = this.#random;
    const { buffer } = random.bytes(8 * random.below(10));
    if (random.chance(0.1)) return this.#note(buffer);
    if (random.chance(0.1)) return this.#note(new DataView(buffer));
    const view = this.#note(new (random.pick(VIEWS))(buffer));
    // Another view of its buffer, which shares it.
    if (random.chance(0.2)) this.#note(new Uint8Array(buffer));
    return view;
  }

  #dated(): object {
    const random = this.#random;
    return this.#note(random.pick<object>([
      new Date(random.below(2 ** 32)),
      new Date(NaN),
      new RegExp("a+/", random.pick(["", "g", "iu", "dmsy", "v"])),
      Object(random.chance(0.5)),
      Object(random.between(-5, 5)),
      Object(this.#text()),
      Object(this.#bigint()),
    ]));
  }
}
