/**
 * Writes values as YAML, for people and for parsers.
 *
 * @module
 */
import { yaml } from "../codecs/yaml.ts";
import { exactDigits } from "../codecs/exact_json.ts";
import { multipliesWithoutEnd, partsOf } from "../parts.ts";
import { isHazardous } from "../../base/escape.ts";
import { flowText } from "./flow.ts";

const decoder = new TextDecoder();

/**
 * A value as a YAML document. It has several lines, unless that form cannot
 * express the value; then it is on one line, similar to JSON.
 */
export function yamlText(value: unknown): string {
  return blockText(value) ?? `${flowText(value)}\n`;
}

/** A value as an item of a sequence that is the document. */
export function yamlItem(value: unknown): string {
  return blockText([value]) ?? `- ${flowText(value)}\n`;
}

function blockText(value: unknown): string | undefined {
  if (partsOf(value).some(isLost) || multipliesWithoutEnd(value)) {
    return undefined;
  }
  let text: string;
  try {
    text = decoder.decode(yaml.encode(value));
  } catch {
    // It contains bytes, a map or the like, or is nested too deeply.
    return undefined;
  }
  return isHazardous(text.replaceAll("\n", "")) ? undefined : text;
}

/** Whether the codec would read a part as something else. */
function isLost(part: unknown): boolean {
  return part === undefined || exactDigits(part) !== undefined;
}
