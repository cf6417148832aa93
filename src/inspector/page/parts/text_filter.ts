/// <reference lib="dom" />
/**
 * A text field that takes effect while the user types, after a short pause.
 *
 * @module
 */
import { html } from "htm/preact";
import type { Ref, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** The pause after the last letter, in ms. */
const PAUSE = 200;

/** A labelled text field. An empty one is `undefined`. */
export function TextFilter({ label, value, onValue, hint, inputRef }: {
  label: string;
  value?: string;
  onValue: (value: string | undefined) => void;
  hint?: string;
  inputRef?: Ref<HTMLInputElement>;
}): VNode {
  const [text, setText] = useState(value ?? "");
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const latest = useRef(onValue);
  latest.current = onValue;
  // Back, forward and links change the value from outside.
  useEffect(() => {
    if (timer.current === undefined) setText(value ?? "");
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (next: string) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    latest.current(next === "" ? undefined : next);
  };
  const onInput = (event: Event) => {
    const next = (event.target as HTMLInputElement).value;
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply(next), PAUSE);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") apply(text);
    if (event.key === "Escape" && text !== "") {
      event.preventDefault();
      setText("");
      apply("");
    }
  };
  return html`
    <label class="field">
      <span class="field-label">${label}</span>
      <input ref=${inputRef} class="input mono" type="text" value=${text}
        placeholder=${hint} spellcheck="false" autocomplete="off"
        autocapitalize="off" onInput=${onInput} onKeyDown=${onKeyDown} />
    </label>
  ` as VNode;
}
