/// <reference lib="dom" />
/**
 * The field for the expiry of a saved entry.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { type Draft, type Expiry, expiryOf } from "../model/drafts.ts";

/** The choice of the expiry. */
export function ExpiryField({ draft, isNew, onChange }: {
  draft: Draft;
  isNew: boolean;
  onChange: (part: Partial<Draft>) => void;
}): VNode {
  const { expiry, minutes } = draft;
  const isWrong = expiryOf(draft) === undefined;
  const choices: [Expiry, string][] = isNew
    ? [["keep", "Never"], ["in", "In minutes"]]
    : [["keep", "As it is"], ["none", "Never"], ["in", "In minutes"]];
  return html`
    <div class="expiry">
      <label class="field">
        <span class="field-label">Expires</span>
        <select class="input" onChange=${(event: Event) =>
          onChange({
            expiry: (event.target as HTMLSelectElement).value as Expiry,
          })}>
          ${choices.map(([value, title]) =>
            html`<option value=${value} selected=${
              value === expiry
            }>${title}</option>`
          )}
        </select>
      </label>
      ${expiry === "in" && html`
        <label class="field">
          <span class="field-label">Minutes from now</span>
          <input class="input" type="text" inputmode="decimal" value=${minutes}
            aria-invalid=${isWrong ? "true" : undefined}
            onInput=${(event: Event) =>
              onChange({
                minutes: (event.target as HTMLInputElement).value,
              })} />
        </label>
        ${isWrong && html`
          <p class="mistake" role="alert">Give a number above 0.</p>
        `}
      `}
    </div>
  ` as VNode;
}
