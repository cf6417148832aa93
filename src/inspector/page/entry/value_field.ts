/// <reference lib="dom" />
/**
 * The text field for a value, with line numbers and mistakes.
 *
 * @module
 */
import { html } from "htm/preact";
import type { RefObject, VNode } from "preact";
import { useRef } from "preact/hooks";
import type { ApiError, Language } from "../../api.ts";
import { lineOf, placeOfPath } from "../text/place_of_path.ts";

/** A mistake in the text. */
interface Mistake {
  readonly message: string;
  /** The line; the first is 1. */
  readonly line?: number;
  /** The place in the value, such as "address.zip". */
  readonly path?: string;
}

/** The field, and the messages about it. */
export function ValueField({ text, language, error, onText }: {
  text: string;
  language: Language;
  error?: ApiError;
  onText: (text: string) => void;
}): VNode {
  const field = useRef<HTMLTextAreaElement>(null);
  const numbers = useRef<HTMLPreElement>(null);
  const mistakes = mistakesOf(error, text, language);
  const onScroll = () => numbers.current!.scrollTop = field.current!.scrollTop;
  return html`
    <div class="editor-field">
      <pre class="line-numbers" aria-hidden="true" ref=${numbers}>${lineNumbers(
        text,
        mistakes,
      )}</pre>
      <textarea ref=${field} class="editor mono" wrap="off" spellcheck="false"
        autocapitalize="off" autocomplete="off" aria-label="Value"
        aria-invalid=${mistakes.length > 0 ? "true" : undefined}
        aria-describedby="value-mistakes" value=${text}
        onScroll=${onScroll}
        onInput=${(event: Event) =>
          onText((event.target as HTMLTextAreaElement).value)}></textarea>
    </div>
    <div id="value-mistakes" role="alert">
      ${mistakes.length > 0 && html`
        <ul class="mistakes">
          ${mistakes.map((mistake) => MistakeItem(mistake, field))}
        </ul>
      `}
    </div>
  ` as VNode;
}

function MistakeItem(
  { message, line, path }: Mistake,
  field: RefObject<HTMLTextAreaElement>,
): VNode {
  const go = () => goToLine(field.current!, line!);
  return html`
    <li class="mistake">
      ${line !== undefined && html`
        <button type="button" class="link"
          onClick=${go}>${`Line ${line}`}</button>${" "}
      `}
      ${path && html`<code>${path}</code>`}${path && ": "}${message}
    </li>
  ` as VNode;
}

function mistakesOf(
  error: ApiError | undefined,
  text: string,
  language: Language,
): Mistake[] {
  if (error?.code === "SYNTAX") {
    return [{ message: error.message, line: error.place?.line }];
  }
  if (error?.code !== "VALIDATION") return [];
  if (!error.issues?.length) return [{ message: error.message }];
  return error.issues.map(({ message, path }) => ({
    message,
    path: path.join("."),
    line: language === "json" ? lineOfPath(text, path) : undefined,
  }));
}

/** The line of a property. If it is missing, the line of the object that it belongs to. */
function lineOfPath(
  text: string,
  path: readonly (string | number)[],
): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const place = placeOfPath(text, path.slice(0, length));
    if (place !== undefined) return lineOf(text, place);
  }
  return undefined;
}

/** The line numbers. Those with a mistake stand out. */
function lineNumbers(text: string, mistakes: readonly Mistake[]) {
  const count = text.split("\n").length;
  const wrong = new Set(mistakes.map(({ line }) => line));
  const pieces: (string | VNode)[] = [];
  let plain = "";
  for (let line = 1; line <= count; line++) {
    if (!wrong.has(line)) {
      plain += `${line}\n`;
      continue;
    }
    pieces.push(plain, html`<b class="wrong-line">${`! ${line}`}</b>` as VNode);
    plain = "\n";
  }
  return [...pieces, plain];
}

/** Selects a line, and brings it into view. */
function goToLine(field: HTMLTextAreaElement, line: number): void {
  const lines = field.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  const height = field.scrollHeight / lines.length;
  field.scrollTop = Math.max(0, (line - 3) * height);
}
