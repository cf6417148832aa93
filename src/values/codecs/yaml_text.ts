/**
 * Parses YAML text in time in proportion to its length, or refuses it.
 *
 * The parser itself takes longer for two things that aliases allow in a short
 * text. A merge key (`<<`) copies a mapping at each use, and a sequence as a key
 * is written out as text. So the merge keys are hidden from the parser, and
 * mappings are merged here, where the copies are counted. How long a key can
 * become is found out beforehand.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { expandedSize } from "../parts.ts";
import { YamlMerging } from "./yaml_merging.ts";

/** How large a value may be with its aliases written out, in characters, if it is not so without. */
const MAX_EXPANDED = 10_000_000;

/** How many properties merge keys may copy, if the text is not longer. */
const MAX_MERGED = 100_000;

/** The value of a document; throws a `SyntaxError`. */
export function parseYaml(text: string): unknown {
  // Without both there is no alias, and without aliases no way to be large.
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

/** An alias, or text that looks like one. */
const ALIAS = /\*[^\s,[\]{}]/;

/** Where a key may be no plain scalar: after `?`, after a bracket, or an alias. */
const COMPLEX_KEY = /(^|[\s,[{])\?(\s|$)|[\]}]\s*:|\*[^\s,[\]{}]+\s*:/m;

/** A tag that may make a merge key of any scalar, or text that looks like one. */
const MERGE_TAG = /(^|[\s,[{:])!\S*(merge|%)|^%TAG/im;

/** A character that the text does not have: one of the private ones. */
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

/** The text with each `<<` between marks, and numbered: a mapping may have several. */
function hideMergeKeys(text: string, mark: string): string {
  let count = 0;
  // In quotes it is no merge key.
  return text.replaceAll(
    /(?<!["'])<<(?!["'])/g,
    () => `${mark}${count++}${mark}`,
  );
}

/**
 * Throws if aliases may make keys too long. It parses the text with a plain
 * scalar in place of each alias, so that nothing is written out. A merge key
 * that a tag makes has nothing to merge then, which the parser refuses.
 */
function assertShortKeys(text: string, hidden: string, mark: string): void {
  // In quotes it is no alias.
  const plain = parse(hidden.replaceAll(/(?<!["'])\*/g, mark));
  const { aliasesInKeys, longest, longestList } = measure(plain, text, mark);
  const aliases = text.split("*").length - 1;
  // Each may be of a list, of which each item may be one of the longest text.
  const most = aliasesInKeys * (longestList + aliases * longest);
  if (most <= Math.max(text.length, MAX_EXPANDED)) return;
  throw new SyntaxError(
    `Cannot decode: with aliases written out, keys may have more than ${MAX_EXPANDED} characters; write the keys without aliases`,
  );
}

/** What decides how long keys can become. */
interface Measures {
  aliasesInKeys: number;
  /** The length of the longest text. */
  longest: number;
  /** The length of all texts of a list together, at most. */
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
        // A list that is a key has commas between its items.
        found.aliasesInKeys += key.split(",").filter(isAlias).length;
        found.longest = Math.max(found.longest, key.length);
        rest.push(item);
      }
    }
  }
  return found;
}

/** The names of anchors, or what looks like one: an `&` may be a part of a name. */
function anchorsOf(text: string): Set<string> {
  const names = new Set<string>();
  for (let at = text.indexOf("&"); at >= 0; at = text.indexOf("&", at + 1)) {
    const beginning = text.slice(at + 1, at + 1 + LONGEST_NAME);
    names.add(beginning.split(/[\s,[\]{}]/, 1)[0]);
  }
  return names;
}

/** How much of a name is looked at. */
const LONGEST_NAME = 64;

/** Throws a `SyntaxError` if aliases make a value endless, or larger than a limit. */
function assertFinite(value: unknown, limit: number): void {
  if (expandedSize(value) <= limit) return;
  throw new SyntaxError(
    `Cannot decode: with its aliases written out, the value is endless, or has more than ${limit} characters`,
  );
}
