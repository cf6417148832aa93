/**
 * Bytes of texts.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { utf8Length } from "../src/base/bytes.ts";

Deno.test("`utf8Length()` counts the bytes of a text in UTF-8", () => {
  const long = "aé€😀".repeat(20_000);
  for (
    const text of ["", "a", "é", "€", "😀", "\ud83d", "\0", long, `x${long}`]
  ) {
    assertEquals(utf8Length(text), new TextEncoder().encode(text).length);
  }
});
