/**
 * The differences between two values.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { ShownValue } from "../../api.ts";
import { type DiffLine, diffOf } from "../text/line_diff.ts";
import { ValueText } from "./shown_value.ts";

/** The differences, or the values one after the other if they cannot be compared. */
export function Differences({ before, after, label }: {
  before?: ShownValue;
  after?: ShownValue;
  label: string;
}): VNode {
  const lines = useMemo(() => compare(before, after), [before, after]);
  if (lines === undefined) {
    return html`
      ${before && html`
        <h4 class="subtitle">Before</h4>
        <${ValueText} value=${before} label="Value before" />
      `}
      ${after && html`
        <h4 class="subtitle">After</h4>
        <${ValueText} value=${after} label="Value after" />
      `}
    ` as VNode;
  }
  const isCut = [before, after].some((value) =>
    value?.state === "text" && value.isCut
  );
  return html`
    ${lines.length === 0
      ? html`<p class="quiet">The text is the same.</p>`
      : html`
        <div class="diff" role="group" tabindex="0" aria-label=${label}>
          ${lines.map(Line)}
        </div>
      `}
    ${isCut &&
      html`<p class="quiet">Only the beginning of the value is compared.</p>`}
  ` as VNode;
}

function compare(
  before?: ShownValue,
  after?: ShownValue,
): DiffLine[] | undefined {
  if (before && before.state !== "text") return undefined;
  if (after && after.state !== "text") return undefined;
  return diffOf(before?.text ?? "", after?.text ?? "");
}

function Line({ type, text }: DiffLine): VNode {
  switch (type) {
    case "added":
      return html`<ins class="diff-line">${text}</ins>` as VNode;
    case "removed":
      return html`<del class="diff-line">${text}</del>` as VNode;
    case "folded":
      return html`<div class="diff-line diff-folded">${text}</div>` as VNode;
    case "same":
      return html`<div class="diff-line">${text}</div>` as VNode;
  }
}
