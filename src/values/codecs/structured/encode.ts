/**
 * Encodes a value as V8's structured clone, or refuses it.
 *
 * The engine's own serializer drops what it has no form for. Its bytes also
 * depend on how the engine holds a value: the same array may be held, and
 * written, in several ways. So the bytes are written here. The invariants: what
 * is encoded comes back as it was, and equal values have equal bytes.
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

/** The bytes of a value. Throws a `TypeError` that names the part that would be lost. */
export function encode(value: unknown): Uint8Array {
  const shared = new Set<ArrayBuffer>();
  for (;;) {
    const buffers = new BufferUses(shared);
    const encoder = new Encoder(FORMS, buffers);
    encoder.write(value);
    if (!buffers.hasNews) return encoder.out.bytes();
  }
}
