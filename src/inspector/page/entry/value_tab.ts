/// <reference lib="dom" />
/**
 * The value of an entry, and the facts about the entry.
 *
 * @module
 */
import { html } from "htm/preact";
import type { ComponentChildren, VNode } from "preact";
import type { EntryAnswer, Language } from "../../api.ts";
import { pathOf } from "../model/client.ts";
import type { ShownEntry } from "../model/entry.ts";
import { language } from "../model/preferences.ts";
import { say } from "../parts/notice.ts";
import { ValueText } from "../parts/shown_value.ts";
import {
  formatDistance,
  formatNumber,
  formatSize,
  formatTime,
} from "../text/format.ts";

/** The value, with actions. */
export function ValueTab({ shown, children }: {
  shown: ShownEntry;
  children?: ComponentChildren;
}): VNode {
  const { entry, isLoading, isMissing, error } = shown;
  if (entry === undefined) {
    const isWaiting = isLoading && !isMissing && error === undefined;
    return html`<p class="quiet">${isWaiting ? "Reading…" : ""}</p>` as VNode;
  }
  return html`
    <${Facts} entry=${entry} />
    <div class="actions">
      <${LanguageChoice} entry=${entry} />
      <span class="spring"></span>
      <${CopyButton} entry=${entry} />
      <a class="button" download=${`${entry.key}.${languageOf(entry)}`}
        href=${pathOf("api/value", {
          kind: entry.kind,
          key: entry.key,
          at: shown.name.at,
          language: shown.name.language,
        })}>Download</a>
      ${children}
    </div>
    <${ValueText} value=${entry.value} label="Value" />
  ` as VNode;
}

function languageOf({ value, codec }: EntryAnswer): Language {
  if (value.state === "text") return value.language;
  return codec === "yaml" ? "yaml" : "json";
}

function Facts({ entry }: { entry: EntryAnswer }): VNode {
  const { version, revision, updatedAt, expiresAt, size, codec } = entry;
  return html`
    <dl class="facts facts-entry">
      ${fact("Version", formatNumber(version))}
      ${fact("Revision", formatNumber(revision), revision)}
      ${fact("Size", formatSize(size))}
      ${fact("Codec", codec)}
      ${fact("Updated", formatTime(updatedAt))}
      ${fact(
        "Expires",
        expiresAt
          ? `${formatTime(expiresAt)}, ${formatDistance(expiresAt)}`
          : "never",
      )}
    </dl>
  ` as VNode;
}

/** A fact. If it has a mark, it flashes when the mark changes. */
function fact(title: string, text: string, mark?: number): VNode {
  const flash = mark === undefined ? undefined : `flash-once-${mark % 2}`;
  return html`
    <div class="fact">
      <dt>${title}</dt>
      <dd class=${flash}>${text}</dd>
    </div>
  ` as VNode;
}

function LanguageChoice({ entry }: { entry: EntryAnswer }): VNode {
  const current = languageOf(entry);
  const choose = (one: Language) => language.value = one;
  return html`
    <div class="segments" role="group" aria-label="Show as">
      ${(["json", "yaml"] as const).map((one) =>
        html`
          <button type="button" class="segment" aria-pressed=${one === current}
            onClick=${() => choose(one)}>${one.toUpperCase()}</button>
        `
      )}
    </div>
  ` as VNode;
}

function CopyButton({ entry }: { entry: EntryAnswer }): VNode {
  const { value } = entry;
  const copy = async () => {
    if (value.state !== "text") return;
    try {
      await navigator.clipboard.writeText(value.text);
      say(value.isCut ? "Copied the beginning of the value." : "Copied.");
    } catch {
      say("The browser does not allow to copy. Select the text instead.");
    }
  };
  return html`
    <button type="button" class="button" disabled=${value.state !== "text"}
      onClick=${copy}>Copy</button>
  ` as VNode;
}
