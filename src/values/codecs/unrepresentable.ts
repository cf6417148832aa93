/**
 * How the codecs of plain data say that they cannot keep a value.
 *
 * @module
 */

/**
 * Makes the error for a part of a value that a format has no form for.
 *
 * @param format The format's name.
 * @param what The part, as in "a Map".
 * @param path Where it is: property names and indexes from the value inwards,
 * as in ".users[0].name"; empty for the value itself.
 */
export function unrepresentable(
  format: string,
  what: string,
  path: string,
): TypeError {
  const where = path === "" ? "" : ` at ${path.replace(/^\./, "")}`;
  return new TypeError(`${format} cannot represent ${what}${where}`);
}

/** What to call an object that is not a plain one: "a Map", by the name of its class. */
export function classOf(value: object): string {
  const { constructor } = Object.getPrototypeOf(value) ?? {};
  const name: unknown = typeof constructor === "function" && constructor.name;
  if (typeof name !== "string" || name === "") return "a class instance";
  if (name === "Object") return "an object that is not a plain one";
  return `${/^[AEIO]/i.test(name) ? "an" : "a"} ${name}`;
}
