/**
 * Completion in shells: the store to search for names, and the names that a
 * shell can put on its command line.
 *
 * @module
 */
import { bash, nu, type ShellCompletion } from "@optique/core/completion";
import type { Usage } from "@optique/core/usage";
import type { Store } from "../contract/store.ts";
import { bashScript } from "./bash_script.ts";
import { UsageError } from "./errors.ts";
import { CODECS } from "./stores/codecs.ts";
import { openStoreOf } from "./stores/open.ts";
import type { StoreSettings } from "./stores/settings.ts";
import { takesValue, wordOf } from "./usage_terms.ts";

/** How long a completion waits for locks of others, in ms. */
const TIMEOUT = 200;

/** How long it waits for a server, in ms. */
const PATIENCE = 2_000;

/** Shells that put a suggestion on the command line unchanged. */
export const SHELLS = {
  bash: { ...unquoted(bash), generateScript: bashScript },
  nu: unquoted(nu),
};

/** A shell that gets no suggestion with a special meaning: it would run "$(…)". */
function unquoted(shell: ShellCompletion): ShellCompletion {
  return {
    ...shell,
    encodeSuggestions: (suggestions) =>
      shell.encodeSuggestions(
        suggestions.filter((suggestion) =>
          suggestion.kind === "file" || isPlainWord(suggestion.text)
        ),
      ),
  };
}

/** Whether a word needs no quotes in any shell. */
function isPlainWord(word: string): boolean {
  return /^[\p{L}\p{N}_@%+,./:=-]+$/u.test(word);
}

/**
 * Searches the store of a command line that is being completed, whose last word
 * is the beginning of a name. Throws if it cannot, or if that word is not a
 * name.
 */
export async function withStoreOf<T>(
  words: readonly string[],
  usage: Usage,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const before = words.at(-2) ?? "";
  if (takesValue(usage, before)) {
    throw new UsageError(`Cannot complete: ${before} takes no name`);
  }
  await using store = await openStoreOf(settingsIn(words), {
    access: "read",
    busyTimeout: TIMEOUT,
    signal: AbortSignal.timeout(PATIENCE),
  });
  return await work(store);
}

/** The store that the words of a command line name. The command line may be incomplete. */
function settingsIn(words: readonly string[]): StoreSettings {
  const [codec] = CODECS.filter((name) => name === wordOf(words, "--codec"));
  return {
    db: wordOf(words, "--from") ?? wordOf(words, "--db"),
    codec: codec ?? "json",
    schema: wordOf(words, "--schema"),
  };
}
