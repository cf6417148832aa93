/// <reference lib="dom" />
/**
 * Edits an entry. It replaces only the revision that the user has seen.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type {
  EntryAnswer,
  Language,
  SetRequest,
  WriteAnswer,
} from "../../api.ts";
import { useCell } from "../model/cell.ts";
import { ask, errorOf } from "../model/client.ts";
import {
  type Draft,
  draftFrom,
  draftOf,
  drafts,
  dropDraft,
  expiryOf,
  isDirty,
  keepDraft,
} from "../model/drafts.ts";
import type { ShownEntry } from "../model/entry.ts";
import { language } from "../model/preferences.ts";
import { go, route } from "../model/route.ts";
import { say } from "../parts/notice.ts";
import { Problem } from "../parts/problem.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { formatNumber } from "../text/format.ts";
import { Conflict } from "./conflict.ts";
import { ExpiryField } from "./expiry_field.ts";
import { ValueField } from "./value_field.ts";

/** Edits the entry that the panel shows. */
export function Editor({ shown }: { shown: ShownEntry }): VNode | null {
  const { kind, key } = shown.name;
  const name = draftOf(kind, key);
  const draft = useCell(drafts).get(name);
  const { entry } = shown;
  const isReady = entry !== undefined && !shown.isLoading && !shown.isMissing;
  // While the user has written nothing, the draft follows the entry.
  const isFree = draft === undefined || !isDirty(draft);
  useEffect(() => {
    const latest = drafts.value.get(name);
    if (!isReady || latest !== undefined && isDirty(latest)) return;
    const made = entry.canEdit ? draftFrom(entry) : undefined;
    if (made !== undefined) keepDraft(name, made);
    else if (latest !== undefined) dropDraft(name);
  }, [isFree, isReady, entry]);
  if (draft !== undefined) {
    return html`
      <${DraftForm} key=${name} name=${name} draft=${draft}
        shown=${shown} />
    ` as VNode;
  }
  if (entry === undefined || shown.isMissing || entry.canEdit) return null;
  return html`<${CannotEdit} entry=${entry} />` as VNode;
}

function CannotEdit({ entry }: { entry: EntryAnswer }): VNode {
  const { value, editReason } = entry;
  const other: Language = value.state === "text" && value.language === "json"
    ? "yaml"
    : "json";
  return html`
    <div class="note note-info" role="status">
      <p>${editReason ?? "This value cannot be edited here."}</p>
      ${value.state === "text" && html`
        <button type="button" class="button"
          onClick=${() =>
            language.value = other}>${`Show as ${other.toUpperCase()}`}</button>
      `}
    </div>
  ` as VNode;
}

function DraftForm({ name, draft, shown }: {
  name: string;
  draft: Draft;
  shown: ShownEntry;
}): VNode {
  const { kind, key } = shown.name;
  const [isSaving, setSaving] = useState(false);
  const [isComparing, setComparing] = useState(false);
  const change = (part: Partial<Draft>) =>
    keepDraft(name, { ...drafts.value.get(name) ?? draft, ...part });
  const leave = () => go({ ...route.value, tab: undefined });
  const discard = () => {
    dropDraft(name);
    leave();
  };

  const save = async () => {
    const latest = drafts.value.get(name) ?? draft;
    const expiry = expiryOf(latest);
    if (isSaving || isComparing || expiry === undefined) return;
    setSaving(true);
    const { text, language, ifRevision } = latest;
    const request: SetRequest = {
      kind,
      key,
      text,
      language,
      ifRevision,
      expiry,
    };
    try {
      const { status, version } = await ask<WriteAnswer>("api/set", request);
      dropDraft(name);
      say(
        status === "unchanged"
          ? "The value was the same already. Nothing was written."
          : `Saved. The entry has version ${formatNumber(version)} now.`,
      );
      leave();
    } catch (thrown) {
      const error = errorOf(thrown);
      change({ error });
      if (error.code === "VERSION_CONFLICT") setComparing(true);
    } finally {
      setSaving(false);
    }
  };
  useShortcut("save", save);

  const hasChanged = !shown.isLoading &&
    (shown.isMissing
      ? draft.ifRevision !== 0
      : (shown.entry?.revision ?? 0) > draft.ifRevision);
  if (isComparing) {
    return html`
      <${Conflict} kind=${kind} name=${key} draft=${draft}
        onResolved=${(next?: Draft) => {
          setComparing(false);
          if (next === undefined) discard();
          else keepDraft(name, next);
        }} />
    ` as VNode;
  }
  return html`
    <form class="form" onSubmit=${(event: Event) => {
      event.preventDefault();
      save();
    }}>
      ${hasChanged && html`
        <div class="note note-warning" role="status">
          <p>${shown.isMissing
            ? "The entry was deleted since you began."
            : "The entry has changed since you began."}</p>
          <button type="button" class="button"
            onClick=${() => setComparing(true)}>See what changed</button>
        </div>
      `}
      <${ValueField} text=${draft.text} language=${draft.language}
        error=${draft.error}
        onText=${(text: string) => change({ text, error: undefined })} />
      <${OtherError} draft=${draft} />
      <${ExpiryField} draft=${draft} isNew=${false} onChange=${change} />
      <div class="actions">
        <button type="submit" class="button button-main"
          title="Save (Ctrl+Enter)"
          disabled=${isSaving || !isDirty(draft)}>${isSaving
            ? "Saving…"
            : "Save"}</button>
        <button type="button" class="button" onClick=${discard}>${isDirty(draft)
          ? "Discard"
          : "Cancel"}</button>
        <span class="quiet">${draft.ifRevision === 0
          ? "Saving creates the entry."
          : `Saving replaces revision ${
            formatNumber(draft.ifRevision)
          }.`}</span>
      </div>
    </form>
  ` as VNode;
}

/** An error that does not concern the text of the value. */
export function OtherError({ draft }: { draft: Draft }): VNode | null {
  const { error } = draft;
  const isAtField = error?.code === "SYNTAX" || error?.code === "VALIDATION";
  if (error === undefined || isAtField) return null;
  return html`<${Problem} message=${error.message} />` as VNode;
}
