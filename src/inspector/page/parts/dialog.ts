/// <reference lib="dom" />
/**
 * A dialog in front of the page. The browser keeps the focus in it, and
 * restores it afterwards.
 *
 * @module
 */
import { html } from "htm/preact";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A dialog, which is open while the component exists. */
export function Dialog({ title, onClose, children }: {
  title: string;
  onClose: () => void;
  children?: ComponentChildren;
}): VNode {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  const onCancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  const onClick = (event: MouseEvent) => {
    if (event.target === ref.current) onClose();
  };
  return html`
    <dialog ref=${ref} class="dialog" aria-labelledby="dialog-title"
      onCancel=${onCancel} onClick=${onClick}>
      <div class="dialog-body">
        <h2 id="dialog-title" class="dialog-title">${title}</h2>
        ${children}
      </div>
    </dialog>
  ` as VNode;
}
