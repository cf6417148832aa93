/**
 * Encodes a value as V8's structured clone, or refuses it.
 *
 * The engine's own serializer drops parts that it cannot express. Its bytes
 * also depend on the engine's internal representation, which may differ for
 * equal values. So the bytes are written here. The invariants: a decoded value
 * equals the encoded one, and equal values have equal bytes.
 *
 * @module
 */
import { BufferUses } from "./buffer_uses.ts";
import { BUFFER_FORMS } from "./buffers.ts";
import { COLLECTION_FORMS } from "./collections.ts";
import { Encoder } from "./encoder.ts";
import { ERROR_FORMS } from "./errors.ts";
import { SCALAR_OBJECT_FORMS } from "./scalar_objects.ts";

const FORMS = new Map([
  ...COLLECTION_FORMS,
  ...SCALAR_OBJECT_FORMS,
  ...ERROR_FORMS,
  ...BUFFER_FORMS,
]);

/** Encodes a value to bytes. Throws a `TypeError` that names the part that would be lost. */
export function encode(value: unknown): Uint8Array {
  const shared = new Set<ArrayBuffer>();
  for (;;) {
    const buffers = new BufferUses(shared);
    const encoder = new Encoder(FORMS, buffers);
    encoder.write(value);
    if (!buffers.hasNews) return encoder.out.bytes();
  }
}
