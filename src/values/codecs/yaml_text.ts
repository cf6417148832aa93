/**
 * Parses YAML text in time proportional to its length, or refuses it.
 *
 * With aliases in a short text, the parser itself may take much longer, for two
 * reasons. A merge key (`<<`) copies a mapping at each use, and a sequence as a
 * key is converted to text. So this code hides the merge keys from the parser,
 * merges the mappings itself, and counts the copies. It also calculates
 * beforehand how long a key can become.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { expandedSize } from "../parts.ts";
import { YamlMerging } from "./yaml_merging.ts";

/**
 * The largest size of a value with all aliases expanded, in characters, unless
 * it is as large without aliases.
 */
const MAX_EXPANDED = 10_000_000;

/** How many properties merge keys may copy, unless the text is longer than this. */
const MAX_MERGED = 100_000;

/** The value of a document. Throws a `SyntaxError`. */
export function parseYaml(text: string): unknown {
  // Without both an anchor and an alias, the value cannot become large.
  if (!/&[^\s,[\]{}]/.test(text) || !ALIAS.test(text)) return parse(text);
  const mark = unusedCharacter(text);
  const hidden = hideMergeKeys(text, mark);
  if (COMPLEX_KEY.test(text) || MERGE_TAG.test(text)) {
    assertShortKeys(text, hidden, mark);
  }
  const value = hidden === text
    ? parse(text)
    : new YamlMerging(mark, Math.max(text.length, MAX_MERGED))
      .finish(parse(hidden));
  assertFinite(value, Math.max(text.length, MAX_EXPANDED));
  return value;
}

/** An alias, or text that looks like an alias. */
const ALIAS = /\*[^\s,[\]{}]/;

/**
 * Places where a key may be something else than a plain scalar: after `?`,
 * after a bracket, or an alias.
 */
const COMPLEX_KEY = /(^|[\s,[{])\?(\s|$)|[\]}]\s*:|\*[^\s,[\]{}]+\s*:/m;

/** A tag that may turn a scalar into a merge key, or text that looks like one. */
const MERGE_TAG = /(^|[\s,[{:])!\S*(merge|%)|^%TAG/im;

/** A character that the text does not contain, from the private ones. */
function unusedCharacter(text: string): string {
  const used = new Set(text.match(/[\uE000-\uF8FF]/g));
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code);
    if (!used.has(character)) return character;
  }
  throw new SyntaxError(
    "Cannot decode: the text has aliases, and every private character; leave one out",
  );
}

/** The text with a number between marks for each `<<`, because a mapping may have several. */
function hideMergeKeys(text: string, mark: string): string {
  let count = 0;
  // In quotes, it is not a merge key.
  return text.replaceAll(
    /(?<!["'])<<(?!["'])/g,
    () => `${mark}${count++}${mark}`,
  );
}

/**
 * Throws if aliases may make keys too long. It parses the text with a plain
 * scalar for each alias, so nothing is expanded. If a tag makes a merge key,
 * the key then has nothing to merge, and the parser refuses it.
 */
function assertShortKeys(text: string, hidden: string, mark: string): void {
  // In quotes, it is not an alias.
  const plain = parse(hidden.replaceAll(/(?<!["'])\*/g, mark));
  const { aliasesInKeys, longest, longestList } = measure(plain, text, mark);
  const aliases = text.split("*").length - 1;
  // Each alias may stand for a list, and each item of the list for one of the
  // longest texts.
  const most = aliasesInKeys * (longestList + aliases * longest);
  if (most <= Math.max(text.length, MAX_EXPANDED)) return;
  throw new SyntaxError(
    `Cannot decode: with aliases written out, keys may have more than ${MAX_EXPANDED} characters; write the keys without aliases`,
  );
}

/** The measures that limit how long keys can become. */
interface Measures {
  aliasesInKeys: number;
  /** The length of the longest text. */
  longest: number;
  /** The largest total length of the texts of a list. */
  longestList: number;
}

function measure(value: unknown, text: string, mark: string): Measures {
  const found = { aliasesInKeys: 0, longest: 0, longestList: 0 };
  const anchors = anchorsOf(text);
  const isAlias = (item: string) =>
    item.startsWith(mark) && anchors.has(item.slice(1, 1 + LONGEST_NAME));
  const rest = [value];
  while (rest.length > 0) {
    const part = rest.pop();
    if (typeof part !== "object" || part === null) {
      found.longest = Math.max(found.longest, String(part).length);
    } else if (Array.isArray(part)) {
      const lengths = part.map((item) =>
        typeof item === "object" ? 16 : String(item).length + 1
      );
      const sum = lengths.reduce((sum, length) => sum + length, 0);
      found.longestList = Math.max(found.longestList, sum);
      for (const item of part) rest.push(item);
    } else if (!ArrayBuffer.isView(part)) {
      for (const [key, item] of Object.entries(part)) {
        // A list as a key has commas between its items.
        found.aliasesInKeys += key.split(",").filter(isAlias).length;
        found.longest = Math.max(found.longest, key.length);
        rest.push(item);
      }
    }
  }
  return found;
}

/** The names of anchors, or of text that looks like one: an `&` may be a part of a name. */
function anchorsOf(text: string): Set<string> {
  const names = new Set<string>();
  for (let at = text.indexOf("&"); at >= 0; at = text.indexOf("&", at + 1)) {
    const beginning = text.slice(at + 1, at + 1 + LONGEST_NAME);
    names.add(beginning.split(/[\s,[\]{}]/, 1)[0]);
  }
  return names;
}

/** How many characters of a name are examined. */
const LONGEST_NAME = 64;

/** Throws a `SyntaxError` if aliases make a value endless, or larger than a limit. */
function assertFinite(value: unknown, limit: number): void {
  if (expandedSize(value) <= limit) return;
  throw new SyntaxError(
    `Cannot decode: with its aliases written out, the value is endless, or has more than ${limit} characters`,
  );
}
