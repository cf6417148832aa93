/// <reference lib="dom" />
/**
 * Texts that the user has not saved. They stay while the user looks at other
 * things, so that a click loses nothing.
 *
 * @module
 */
import type { ApiError, EntryAnswer, Language } from "../../api.ts";
import { Cell } from "./cell.ts";

/** The expiry: unchanged, none, or in this many minutes. */
export type Expiry = "keep" | "none" | "in";

/** A text that is being written. */
export interface Draft {
  readonly text: string;
  /** The text that the user began with. */
  readonly base: string;
  readonly language: Language;
  /** The revision that saving replaces; 0 to create. */
  readonly ifRevision: number;
  readonly expiry: Expiry;
  readonly minutes: string;
  /** The error of the last attempt to save. */
  readonly error?: ApiError;
}

/** All drafts, by their names. */
export const drafts: Cell<ReadonlyMap<string, Draft>> = new Cell<
  ReadonlyMap<string, Draft>
>(new Map());

/** The name of the draft of an entry. */
export function draftOf(kind: string, key: string): string {
  return `${kind}\0${key}`;
}

/** The name of the draft of a new entry. */
export const NEW_DRAFT = "";

/** Stores a draft. */
export function keepDraft(name: string, draft: Draft): void {
  drafts.value = new Map([...drafts.value, [name, draft]]);
}

/** Removes a draft. */
export function dropDraft(name: string): void {
  const rest = new Map(drafts.value);
  rest.delete(name);
  drafts.value = rest;
}

/** A draft with the value of an entry; `undefined` if its text is incomplete. */
export function draftFrom({ value, revision }: EntryAnswer): Draft | undefined {
  if (value.state !== "text" || value.isCut) return undefined;
  const { text, language } = value;
  return {
    text,
    base: text,
    language,
    ifRevision: revision,
    expiry: "keep",
    minutes: "60",
  };
}

/** Whether the user would lose a text. */
export function isDirty(draft: Draft): boolean {
  return draft.text !== draft.base || draft.expiry !== "keep";
}

/** The expiry for `api/set`; `undefined` if the minutes are invalid. */
export function expiryOf(
  { expiry, minutes }: Draft,
): "keep" | "none" | number | undefined {
  if (expiry !== "in") return expiry;
  const ms = Math.round(Number(minutes) * 60_000);
  return minutes.trim() !== "" && ms > 0 && Number.isSafeInteger(ms)
    ? ms
    : undefined;
}

/** Asks before the page closes with unsaved texts. */
export function guardDrafts(): void {
  addEventListener("beforeunload", (event) => {
    if ([...drafts.value.values()].some(isDirty)) event.preventDefault();
  });
}
