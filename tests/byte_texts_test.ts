/**
 * Bytes as text, also without the methods of `Uint8Array` that Node.js 24 lacks.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import * as native from "../src/base/byte_texts.ts";

/** The module as it is where `Uint8Array` has no such methods, and `Buffer` is a global. */
async function importWithoutMethods(): Promise<typeof native> {
  const { toBase64 } = Uint8Array.prototype;
  const method = Object.getOwnPropertyDescriptor(
    Uint8Array.prototype,
    "toBase64",
  )!;
  assertEquals(typeof toBase64, "function");
  delete (Uint8Array.prototype as Partial<Uint8Array>).toBase64;
  try {
    const url = new URL("../src/base/byte_texts.ts?plain", import.meta.url);
    return await import(url.href);
  } finally {
    Object.defineProperty(Uint8Array.prototype, "toBase64", method);
  }
}

const plain = await importWithoutMethods();

Deno.test("bytes are the same text with and without the methods", () => {
  const holder = globalThis as { Buffer?: unknown };
  const { Buffer: before } = holder;
  holder.Buffer = Buffer;
  try {
    for (let length = 0; length < 70; length++) {
      const bytes = new Uint8Array(100).map((_, i) => i * 57 + length)
        .subarray(3, 3 + length);
      const [base64, hex] = [native.toBase64(bytes), native.toHex(bytes)];
      assertEquals(plain.toBase64(bytes), base64);
      assertEquals(plain.toBase64Url(bytes), native.toBase64Url(bytes));
      assertEquals(plain.toHex(bytes), hex);
      for (const { fromBase64, fromHex } of [native, plain]) {
        assertEquals([...fromBase64(base64)], [...bytes]);
        assertEquals([...fromHex(hex)], [...bytes]);
        assertEquals(fromHex(hex).buffer.byteLength, length);
      }
    }
    for (const { fromBase64 } of [native, plain]) {
      for (const text of ["a_b=", "a-b=", "*", "YQ==é"]) {
        assertThrows(() => fromBase64(text), SyntaxError);
      }
    }
  } finally {
    holder.Buffer = before;
  }
});
