/**
 * Writes the properties of objects, and refuses properties that would be lost.
 *
 * @module
 */
import { classOf } from "../unrepresentable.ts";
import type { Encoder } from "./encoder.ts";
import { isIndexName } from "./format.ts";

/** Writes properties with their names. */
export function writeProperties(
  encoder: Encoder,
  value: object,
  names: readonly (string | symbol)[],
): void {
  for (const name of names) {
    if (typeof name === "symbol") {
      throw encoder.refusal("a symbol as a property's name");
    }
    const part = enumerableData(encoder, value, name);
    if (isIndexName(name)) encoder.out.number(Number(name));
    else encoder.out.string(name);
    encoder.writePart(name, part);
  }
}

/** The value of a property. Throws if the property would be read as another kind of property. */
export function enumerableData(
  encoder: Encoder,
  value: object,
  name: string | number,
): unknown {
  const property = Object.getOwnPropertyDescriptor(value, name)!;
  if (!("value" in property)) {
    throw encoder.refusal("a getter or setter", name);
  }
  if (!property.enumerable) {
    throw encoder.refusal("a property that is not enumerable", name);
  }
  return property.value;
}

/** Throws if an object has one of these properties, which the format of its class cannot express. */
export function assertNone(
  encoder: Encoder,
  value: object,
  names: readonly (string | symbol)[] = Reflect.ownKeys(value),
): void {
  if (names.length === 0) return;
  const [name] = names;
  throw encoder.refusal(
    `${classOf(value)} with the property ${String(name)}`,
  );
}
