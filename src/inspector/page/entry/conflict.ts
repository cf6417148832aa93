/// <reference lib="dom" />
/**
 * Shows what changed if an entry changed while the user edited it, and lets the
 * user choose.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError, EntryAnswer, ShownValue } from "../../api.ts";
import { errorOf, read } from "../model/client.ts";
import { type Draft, draftFrom } from "../model/drafts.ts";
import { session } from "../model/session.ts";
import { Differences } from "../parts/differences.ts";
import { Problem } from "../parts/problem.ts";
import { formatNumber } from "../text/format.ts";

/** The present entry in the store. `entry` is absent if it was deleted. */
interface Theirs {
  readonly entry?: EntryAnswer;
}

/** Shows the changes, and asks what to do. */
export function Conflict({ kind, name, draft, onResolved }: {
  kind: string;
  name: string;
  draft: Draft;
  /** Gets the draft to continue with; nothing to discard it. */
  onResolved: (draft?: Draft) => void;
}): VNode {
  const [theirs, setTheirs] = useState<Theirs>();
  const [error, setError] = useState<ApiError>();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    title.current!.focus();
    const { language } = draft;
    const text = session.value?.limits.body;
    read<EntryAnswer>("api/entry", { kind, key: name, language, text }).then(
      (entry) => setTheirs({ entry }),
      (thrown) => {
        const error = errorOf(thrown);
        if (error.code === "NOT_FOUND") setTheirs({});
        else setError(error);
      },
    );
  }, []);
  const goOn = () => onResolved({ ...draft, error: undefined });
  return html`
    <div class="conflict">
      <h3 class="subtitle" tabindex="-1" ref=${title}>
        The entry changed while you edited it
      </h3>
      <p>Nothing is saved yet, and your text is kept.</p>
      ${error && html`
        <${Problem} message=${error.message}>
          <button type="button" class="button"
            onClick=${goOn}>Back to my text</button>
          <//>
      `}
      ${theirs && html`
        <${Choice} draft=${draft} theirs=${theirs} onResolved=${onResolved} />
      `}
    </div>
  ` as VNode;
}

function Choice({ draft, theirs, onResolved }: {
  draft: Draft;
  theirs: Theirs;
  onResolved: (draft?: Draft) => void;
}): VNode {
  const { entry } = theirs;
  const base = shown(draft, draft.base);
  const keepMine = () =>
    onResolved({
      ...draft,
      base: entry?.value.state === "text" ? entry.value.text : "",
      ifRevision: entry?.revision ?? 0,
      error: undefined,
    });
  const takeTheirs = () => onResolved(entry && draftFrom(entry));
  return html`
    <h4 class="subtitle">What changed meanwhile</h4>
    ${entry === undefined
      ? html`<p class="note note-warning">The entry was deleted.</p>`
      : html`
        <p class="quiet">${`Now it has revision ${
          formatNumber(entry.revision)
        }, version ${formatNumber(entry.version)}.`}</p>
        <${Differences} before=${base} after=${entry.value}
          label="What changed meanwhile" />
      `}
    <h4 class="subtitle">What you changed</h4>
    <${Differences} before=${base} after=${shown(draft, draft.text)}
      label="What you changed" />
    <div class="actions">
      <button type="button" class="button button-main" onClick=${keepMine}>
        ${entry ? "Keep my text" : "Keep my text, create it again"}
      </button>
      <button type="button" class="button" onClick=${takeTheirs}>
        ${entry ? "Take theirs" : "Discard my text"}
      </button>
    </div>
    <p class="quiet">${entry
      ? "“Keep my text” goes back to the editor. Saving then replaces the newer value. “Take theirs” drops your text."
      : "“Keep my text” goes back to the editor. Saving then creates the entry."}</p>
  ` as VNode;
}

function shown({ language }: Draft, text: string): ShownValue {
  return { state: "text", language, text, length: text.length, isCut: false };
}
