/**
 * Finds the value at a path in a JSON text, so that a message of the schema can
 * stand at its field.
 *
 * @module
 */

/** The offset of the value at a path; `undefined` if it is not found. */
export function placeOfPath(
  text: string,
  path: readonly (string | number)[],
): number | undefined {
  try {
    return new Reader(text).find(path.map(String));
  } catch {
    return undefined;
  }
}

/** The line of an offset; the first is 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Walks through a JSON text. It throws at the first character that is not JSON. */
class Reader {
  #offset = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  find(path: readonly string[]): number | undefined {
    this.#space();
    if (path.length === 0) return this.#offset;
    const [wanted, ...rest] = path;
    const opening = this.#text[this.#offset];
    if (opening !== "{" && opening !== "[") return undefined;
    this.#offset++;
    for (let index = 0; !this.#isClosed(); index++) {
      const name = opening === "{" ? this.#name() : String(index);
      if (name === wanted) return this.find(rest);
      this.#skip();
      this.#take(",");
    }
    return undefined;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#offset] ?? "")) this.#offset++;
  }

  #isClosed(): boolean {
    this.#space();
    const unit = this.#text[this.#offset];
    return unit === "}" || unit === "]" || unit === undefined;
  }

  #take(unit: string): void {
    this.#space();
    if (this.#text[this.#offset] === unit) this.#offset++;
  }

  #name(): string {
    const name = JSON.parse(this.#match(/"(?:[^"\\]|\\.)*"/y));
    this.#take(":");
    return name;
  }

  #skip(): void {
    this.#space();
    const opening = this.#text[this.#offset];
    if (opening !== "{" && opening !== "[") {
      this.#match(/"(?:[^"\\]|\\.)*"|[^\s,\]}]+/y);
      return;
    }
    this.#offset++;
    while (!this.#isClosed()) {
      if (opening === "{") this.#name();
      this.#skip();
      this.#take(",");
    }
    this.#offset++;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#text);
    if (match === null) throw new SyntaxError("not JSON");
    this.#offset += match[0].length;
    return match[0];
  }
}
