/// <reference lib="dom" />
/**
 * The help about the keyboard.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useCell } from "../model/cell.ts";
import { shortcuts } from "../model/preferences.ts";
import { Dialog } from "./dialog.ts";
import { SHORTCUTS } from "./shortcuts.ts";

/** The help, as a dialog. */
export function Help({ onClose }: { onClose: () => void }): VNode {
  const state = useCell(shortcuts);
  const toggle = () => shortcuts.value = state === "on" ? "off" : "on";
  return html`
    <${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
      <dl class="keys">
        ${Object.values(SHORTCUTS).map(([key, deed]) =>
          html`
            <div class="key-row">
              <dt><kbd>${key}</kbd></dt>
              <dd>${deed}</dd>
            </div>
          `
        )}
      </dl>
      <label class="check">
        <input type="checkbox" checked=${state === "on"} onChange=${toggle} />
        <span>Use single-key shortcuts. Turn this off if another tool needs these keys.</span>
      </label>
      <div class="actions">
        <button type="button" class="button" autofocus
          onClick=${onClose}>Close</button>
      </div>
      <//>
  ` as VNode;
}
