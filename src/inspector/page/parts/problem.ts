/**
 * An error, for the user.
 *
 * @module
 */
import { html } from "htm/preact";
import type { ComponentChildren, VNode } from "preact";

/** An error message, and maybe what to do. */
export function Problem({ message, children }: {
  message: string;
  children?: ComponentChildren;
}): VNode {
  return html`
    <div class="problem" role="alert">
      <p>${message}</p>
      ${children}
    </div>
  ` as VNode;
}
