/**
 * A short message about the last action. A screen reader reads it out.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { Cell, useCell } from "../model/cell.ts";

/** How long a message stays, in ms. */
const STAY = 6_000;

const notice: Cell<string> = new Cell("");
let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows a message to the user. */
export function say(message: string): void {
  clearTimeout(timer);
  notice.value = message;
  timer = setTimeout(() => notice.value = "", STAY);
}

/** The place of the messages. */
export function Notice(): VNode {
  const message = useCell(notice);
  return html`
    <div class="notice" role="status">
      ${message !== "" && html`<p class="notice-text">${message}</p>`}
    </div>
  ` as VNode;
}
