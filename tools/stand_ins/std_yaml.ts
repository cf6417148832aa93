/**
 * Stands in for `jsr:@std/yaml` where JSR is not reachable: what the codec uses
 * of it, over js-yaml, which `@std/yaml` is a port of.
 *
 * @module
 */
// @ts-types="@types/js-yaml"
import { DEFAULT_SCHEMA, dump, load, Type, YAMLException } from "js-yaml";

/** js-yaml leaves `undefined` out, `@std/yaml` does not take it. */
const schema = DEFAULT_SCHEMA.extend(
  new Type("tag:yaml.org,2002:js/undefined", {
    kind: "scalar",
    resolve: () => false,
    predicate: (value) => value === undefined,
    represent: () => {
      throw new TypeError("Cannot stringify undefined");
    },
  }),
);

/** The value of a document; `SyntaxError` if it is not YAML. */
export function parse(content: string): unknown {
  try {
    return load(content, { schema }) ?? null;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new SyntaxError(error.message, { cause: error });
  }
}

/** How the document is to look. */
export interface StringifyOptions {
  /** Whether an object that comes twice is written once and referred to. @default {true} */
  useAnchors?: boolean;
  /** Where lines are folded; -1 for nowhere. @default {80} */
  lineWidth?: number;
}

/** The document of a value; `TypeError` if YAML has no form for it. */
export function stringify(
  data: unknown,
  { useAnchors = true, ...options }: StringifyOptions = {},
): string {
  try {
    return dump(data, { schema, noRefs: !useAnchors, ...options });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new TypeError(error.message, { cause: error });
  }
}
