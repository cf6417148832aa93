/**
 * Applies the merge keys (`<<`) of a YAML document, as its parser would, and
 * counts the copied properties.
 *
 * @module
 */

type Mapping = Record<string, unknown>;

/** The merging of one document. It visits each object once. */
export class YamlMerging {
  readonly #hidden: RegExp;
  readonly #mark: string;
  readonly #limit: number;
  #copied = 0;
  readonly #seen = new Set<object>();

  /**
   * Takes the mark character and a limit. A number between two marks stands for
   * `<<`. The limit is for copied properties.
   */
  constructor(mark: string, limit: number) {
    this.#mark = mark;
    this.#hidden = new RegExp(`${mark}\\d+${mark}`, "g");
    this.#limit = limit;
  }

  /** Merges the value in place, and puts `<<` back into its texts. Throws a `SyntaxError`. */
  finish(value: unknown): unknown {
    if (typeof value === "string") return this.#shown(value);
    if (typeof value !== "object" || value === null) return value;
    if (this.#seen.has(value)) return value;
    this.#seen.add(value);
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) value[i] = this.finish(item);
    } else if (!(value instanceof Date || ArrayBuffer.isView(value))) {
      this.#finishMapping(value as Mapping);
    }
    return value;
  }

  #finishMapping(mapping: Mapping): void {
    const entries = Object.entries(mapping);
    if (entries.some(([key]) => key.includes(this.#mark))) {
      return this.#rebuild(mapping, entries);
    }
    for (const [key, value] of entries) {
      const finished = this.finish(value);
      if (finished !== value) setOwn(mapping, key, finished);
    }
  }

  /** Rebuilds a mapping. Its keys keep their order, with the merged keys between them. */
  #rebuild(mapping: Mapping, entries: [string, unknown][]): void {
    for (const [key] of entries) delete mapping[key];
    const own = new Set<string>();
    for (const [hidden, value] of entries) {
      const key = this.#shown(hidden);
      const finished = this.finish(value);
      if (key === "<<" && hidden !== key) {
        const sources = Array.isArray(finished) ? finished : [finished];
        for (const source of sources) this.#merge(mapping, source);
        continue;
      }
      // While the keys were hidden, the parser could not see this.
      if (own.has(key)) {
        throw new SyntaxError(`Cannot decode: the key ${key} comes twice`);
      }
      own.add(key);
      setOwn(mapping, key, finished);
    }
  }

  /** Copies the properties that the mapping does not have yet. */
  #merge(mapping: Mapping, source: unknown): void {
    if (typeof source !== "object" || source === null) {
      throw new SyntaxError(
        "Cannot decode: a merge key (<<) takes a mapping, or a list of mappings",
      );
    }
    const keys = Object.keys(source);
    this.#copied += keys.length + 1;
    if (this.#copied > this.#limit) {
      throw new SyntaxError(
        `Cannot decode: the merge keys (<<) copy more than ${this.#limit} properties; name the mappings by aliases instead`,
      );
    }
    for (const key of keys) {
      if (Object.hasOwn(mapping, key)) continue;
      setOwn(mapping, key, (source as Mapping)[key]);
    }
  }

  #shown(text: string): string {
    return text.includes(this.#mark)
      ? text.replaceAll(this.#hidden, "<<")
      : text;
  }
}

/** Sets an own property, whatever its name is. */
function setOwn(mapping: Mapping, key: string, value: unknown): void {
  if (key !== "__proto__") {
    mapping[key] = value;
    return;
  }
  const own = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(mapping, key, own);
}
