/**
 * The error of the codecs for plain data, for a value that they cannot keep.
 *
 * @module
 */

/**
 * Makes the error for a part of a value that a format cannot express.
 *
 * @param format The format's name.
 * @param what The part, as in "a Map".
 * @param path The place: property names and indexes from the value inwards, as
 * in ".users[0].name"; empty for the value itself.
 */
export function unrepresentable(
  format: string,
  what: string,
  path: string,
): TypeError {
  const where = path === "" ? "" : ` at ${path.replace(/^\./, "")}`;
  return new TypeError(`${format} cannot represent ${what}${where}`);
}

/** A name for an object that is not plain, such as "a Map", from the name of its class. */
export function classOf(value: object): string {
  const { constructor } = Object.getPrototypeOf(value) ?? {};
  const name: unknown = typeof constructor === "function" && constructor.name;
  if (typeof name !== "string" || name === "") return "a class instance";
  if (name === "Object") return "an object that is not a plain one";
  return `${/^[AEIO]/i.test(name) ? "an" : "a"} ${name}`;
}
