/**
 * Values as YAML, to be read by people and by YAML's parsers.
 *
 * @module
 */
import { yaml } from "../../values/codecs/yaml.ts";
import { exactDigits, holdsDigits } from "../../values/codecs/exact_json.ts";
import { escapeJson, isHazardous } from "./escape.ts";

const decoder = new TextDecoder();

/**
 * A value as a YAML document: over several lines, as people write it, unless
 * that could not show it as it is. Then it is on one line, much like JSON.
 */
export function yamlText(value: unknown): string {
  return blockText(value) ?? `${flowText(value)}\n`;
}

/** A value as an item of a sequence that is the document. */
export function yamlItem(value: unknown): string {
  return blockText([value]) ?? `- ${flowText(value)}\n`;
}

function blockText(value: unknown): string | undefined {
  if (holdsDigits(value)) return undefined;
  let text: string;
  try {
    text = decoder.decode(yaml.encode(value));
  } catch {
    // Bytes, or nested too deep.
    return undefined;
  }
  return isHazardous(text.replaceAll("\n", "")) ? undefined : text;
}

/** A value on one line. */
function flowText(value: unknown): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value !== "object" || value === null) {
    return escapeJson(JSON.stringify(value));
  }
  const digits = exactDigits(value);
  if (digits !== undefined) return digits;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `!!binary "${value.toBase64()}"`;
  if (Array.isArray(value)) return `[${value.map(flowText).join(", ")}]`;
  const pairs = Object.entries(value).map(([name, part]) =>
    `${flowText(name)}: ${flowText(part)}`
  );
  return `{${pairs.join(", ")}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : `${value}`;
  return value > 0 ? ".inf" : "-.inf";
}
