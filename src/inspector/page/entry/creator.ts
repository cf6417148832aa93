/// <reference lib="dom" />
/**
 * Creates an entry. It never replaces one.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Language, SetRequest, WriteAnswer } from "../../api.ts";
import { useCell } from "../model/cell.ts";
import { ask, errorOf } from "../model/client.ts";
import {
  type Draft,
  drafts,
  dropDraft,
  expiryOf,
  keepDraft,
  NEW_DRAFT,
} from "../model/drafts.ts";
import { kinds } from "../model/kinds.ts";
import { entryRoute, go, hrefOf, withoutPanel } from "../model/route.ts";
import { say } from "../parts/notice.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { OtherError } from "./editor.ts";
import { ExpiryField } from "./expiry_field.ts";
import { ValueField } from "./value_field.ts";

const EMPTY: Omit<Draft, "language"> = {
  text: "",
  base: "",
  ifRevision: 0,
  expiry: "keep",
  minutes: "60",
};

/** The panel for a new entry. */
export function Creator({ kind: first }: { kind?: string }): VNode {
  const { list = [] } = useCell(kinds);
  const [kind, setKind] = useState(first ?? "");
  const codec = list.find((one) => one.kind === kind)?.codec;
  const language: Language = codec === "yaml" ? "yaml" : "json";
  const draft = useCell(drafts).get(NEW_DRAFT) ?? { ...EMPTY, language };
  const [key, setKey] = useState("");
  const [isSaving, setSaving] = useState(false);
  const keyField = useRef<HTMLInputElement>(null);
  useEffect(() => keyField.current!.focus(), []);
  const change = (part: Partial<Draft>) =>
    keepDraft(NEW_DRAFT, { ...drafts.value.get(NEW_DRAFT) ?? draft, ...part });
  const close = () => go(withoutPanel());
  const create = async () => {
    const expiry = expiryOf(draft);
    if (isSaving || expiry === undefined) return;
    setSaving(true);
    const { text, language } = draft;
    const request: SetRequest = {
      kind,
      key,
      text,
      language,
      ifRevision: 0,
      expiry,
    };
    try {
      await ask<WriteAnswer>("api/set", request);
      dropDraft(NEW_DRAFT);
      say(`Created ${key}.`);
      go(entryRoute(kind, key));
    } catch (thrown) {
      change({ error: errorOf(thrown) });
    } finally {
      setSaving(false);
    }
  };
  useShortcut("save", create);
  useShortcut("close", close);
  const isTaken = draft.error?.code === "VERSION_CONFLICT";
  return html`
    <aside class="panel" aria-labelledby="panel-title">
      <div class="panel-head">
        <h2 id="panel-title" class="panel-title">New entry</h2>
        <button type="button" class="button" title="Close (Escape)"
          onClick=${close}>Close</button>
      </div>
      <form class="panel-body form" onSubmit=${(event: Event) => {
        event.preventDefault();
        create();
      }}>
        <label class="field">
          <span class="field-label">Kind</span>
          <input class="input mono" type="text" list="kind-names" value=${kind}
            required spellcheck="false" autocomplete="off"
            onInput=${(event: Event) =>
              setKind((event.target as HTMLInputElement).value)} />
        </label>
        <datalist id="kind-names">
          ${list.slice(0, 200).map((one) => html`<option value=${one.kind} />`)}
        </datalist>
        <label class="field">
          <span class="field-label">Key</span>
          <input ref=${keyField} class="input mono" type="text" value=${key}
            aria-invalid=${isTaken ? "true" : undefined}
            aria-describedby="key-mistake" spellcheck="false"
            autocomplete="off" autocapitalize="off"
            onInput=${(event: Event) => {
              setKey((event.target as HTMLInputElement).value);
              if (draft.error) change({ error: undefined });
            }} />
        </label>
        <p id="key-mistake" class="mistake" role="alert">
          ${isTaken && html`
            There is an entry with this key already.${" "}
            <a href=${hrefOf(entryRoute(kind, key))}>Open it</a>
          `}
        </p>
        <label class="field">
          <span class="field-label">Language</span>
          <select class="input" onChange=${(event: Event) =>
            change({
              language: (event.target as HTMLSelectElement).value as Language,
            })}>
            ${(["json", "yaml"] as const).map((one) =>
              html`<option value=${one} selected=${
                one === draft.language
              }>${one.toUpperCase()}</option>`
            )}
          </select>
        </label>
        <${ValueField} text=${draft.text} language=${draft.language}
          error=${draft.error}
          onText=${(text: string) => change({ text, error: undefined })} />
        ${!isTaken && html`<${OtherError} draft=${draft} />`}
        <${ExpiryField} draft=${draft} isNew=${true} onChange=${change} />
        <div class="actions">
          <button type="submit" class="button button-main"
            title="Create (Ctrl+Enter)" disabled=${isSaving}>${isSaving
              ? "Creating…"
              : "Create"}</button>
          <button type="button" class="button" onClick=${() => {
            dropDraft(NEW_DRAFT);
            close();
          }}>Discard</button>
        </div>
      </form>
    </aside>
  ` as VNode;
}
