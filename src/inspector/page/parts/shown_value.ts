/**
 * Values as coloured text. The content of a value becomes text nodes, never
 * HTML.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import type { ShownValue } from "../../api.ts";
import { formatNumber } from "../text/format.ts";
import { type Token, tokensOf } from "../text/tokens.ts";

/** The beginning of a value, in one line. */
export function Preview({ value }: { value: ShownValue }): VNode {
  if (value.state !== "text") {
    const text = value.state === "large" ? "large value" : "unreadable value";
    return html`<em class="quiet">${text}</em>` as VNode;
  }
  const { text, language, isCut } = value;
  return html`
    <code>${pieces(tokensOf(text, language))}${isCut ? "…" : ""}</code>
  ` as VNode;
}

/** A value, with all its lines. */
export function ValueText({ value, label }: {
  value: ShownValue;
  label: string;
}): VNode {
  if (value.state === "unreadable") return Unreadable(value);
  if (value.state === "large") {
    return html`<p class="note note-info">${value.message}</p>` as VNode;
  }
  const { text, language, isCut, length } = value;
  return html`
    <pre class="value" tabindex="0" role="region"
      aria-label=${label}><code>${pieces(tokensOf(text, language))}</code></pre>
    ${isCut && html`
      <p class="note note-info">
        ${`These are the first ${formatNumber(text.length)} of ${
          formatNumber(length)
        } characters. Download the value to see all of it.`}
      </p>
    `}
  ` as VNode;
}

function Unreadable(value: ShownValue & { state: "unreadable" }): VNode {
  const bytes = value.bytes.replace(/../g, "$& ").trimEnd();
  return html`
    <p class="note note-warning">${value.message}</p>
    <h3 class="subtitle">Stored bytes</h3>
    <pre class="value wrap" tabindex="0" role="region" aria-label="Stored bytes"
    ><code>${bytes}${value.isCut ? " …" : ""}</code></pre>
  ` as VNode;
}

function pieces(tokens: readonly Token[]) {
  return tokens.map(({ text, type }) =>
    type === undefined ? text : html`<span class=${`t-${type}`}>${text}</span>`
  );
}
