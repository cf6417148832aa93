/**
 * Kinds and keys as arguments: checked before anything is opened, and completed
 * from the names in the store.
 *
 * @module
 */
import { dependency } from "@optique/core/dependency";
import { message, text } from "@optique/core/message";
import type { Suggestion } from "@optique/core/parser";
import type { ValueParser } from "@optique/core/valueparser";
import { reasonOf } from "../base/messages.ts";
import { assertName } from "../keys/names.ts";
import type { Store } from "../contract/store.ts";
import { isHazardous } from "../base/escape.ts";

/** How many names are suggested at most. */
const MOST_NAMES = 100;

/** Longer names are not suggested. In UTF-16 units. */
const LONGEST_NAME = 200;

/** Works on the store that a command line names. */
export type WithStore = <T>(
  work: (store: Store) => Promise<T>,
) => Promise<T>;

/** Parsers of names, for the arguments of a command. */
export interface NameParsers {
  /** A kind. */
  readonly kind: ValueParser<"async", string>;
  /** Another kind, to which the key does not belong. */
  otherKind(metavar: "KIND" | "NEW_KIND"): ValueParser<"async", string>;
  /** A key of the kind in the other argument. */
  readonly key: ValueParser<"async", string>;
}

/** Makes the parsers. They suggest names from the store. */
export function nameParsers(withStore: WithStore): NameParsers {
  const findKinds = (prefix: string) =>
    withStore(async (store) =>
      (await store.kinds()).filter((kind) => kind.startsWith(prefix))
    );
  const kind = dependency(nameParser("KIND", findKinds));
  const otherKind = (metavar: "KIND" | "NEW_KIND") =>
    nameParser(metavar, findKinds);
  const key = kind.deriveAsync({
    metavar: "KEY",
    factory: (kind) =>
      nameParser(
        "KEY",
        (prefix) =>
          withStore((store) => store.keys(kind, { prefix, limit: MOST_NAMES })),
      ),
    defaultValue: () => "",
  });
  return { kind, otherKind, key };
}

function nameParser(
  metavar: "KIND" | "NEW_KIND" | "KEY",
  find: (prefix: string) => Promise<string[]>,
): ValueParser<"async", string> {
  const what = metavar === "KEY" ? "key" : "kind";
  return {
    mode: "async",
    metavar,
    placeholder: metavar,
    format: (name) => name,
    // deno-lint-ignore require-await -- the parser is asynchronous
    async parse(name) {
      try {
        assertName(what, name);
        return { success: true, value: name };
      } catch (error) {
        return { success: false, error: message`${text(reasonOf(error))}` };
      }
    },
    async *suggest(prefix): AsyncIterable<Suggestion> {
      // An error must not disturb the person who is typing.
      const names = await find(prefix).catch(() => []);
      for (const name of names.filter(isTypable).slice(0, MOST_NAMES)) {
        yield { kind: "literal", text: name };
      }
    },
  };
}

/** Whether a shell can put the name on its command line, where it is parsed as a name. */
function isTypable(name: string): boolean {
  return !isHazardous(name) && !name.startsWith("-") &&
    name.length <= LONGEST_NAME;
}
