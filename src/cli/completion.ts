/**
 * Completion in shells: where names are looked for, and which of them a shell
 * can put on its command line.
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

/** How long a completion waits for others' locks, in ms. */
const TIMEOUT = 200;

/** How long it waits for a server to be reached, in ms. */
const PATIENCE = 2_000;

/** Shells that put what is suggested on the command line as it is. */
export const SHELLS = {
  bash: { ...unquoted(bash), generateScript: bashScript },
  nu: unquoted(nu),
};

/** A shell to which nothing is suggested that means something else there: "$(…)" would be run. */
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

/** Whether a word is the same in every shell without quotes. */
function isPlainWord(word: string): boolean {
  return /^[\p{L}\p{N}_@%+,./:=-]+$/u.test(word);
}

/**
 * Looks for names in the store of a command line that is being completed, the
 * last word being the beginning of one. Throws where it cannot, or where that
 * word is no name.
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

/** Which store is named by the words of a command line, which need not be whole. */
function settingsIn(words: readonly string[]): StoreSettings {
  const [codec] = CODECS.filter((name) => name === wordOf(words, "--codec"));
  return {
    db: wordOf(words, "--from") ?? wordOf(words, "--db"),
    codec: codec ?? "json",
    schema: wordOf(words, "--schema"),
  };
}
