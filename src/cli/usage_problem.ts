/**
 * Explains a wrong command line, with a hint.
 *
 * The parser suggests the options of all commands, even the option that was
 * typed. So its suggestions are removed, and the ones made here name only
 * options of the command.
 *
 * @module
 */
import {
  type Message,
  type MessageTerm,
  optionName,
  text,
  value,
} from "@optique/core/message";
import { findSimilar } from "@optique/core/suggestion";
import { extractOptionNames, type Usage } from "@optique/core/usage";
import { takesValue } from "./usage_terms.ts";

/** The commands and the options. */
export interface Usages {
  /** The usage of each command, by its name. */
  readonly commands: ReadonlyMap<string, Usage>;
  /** The options of every command. */
  readonly globals: Usage;
}

/** The parser's own options. */
const OWN_OPTIONS = ["--help", "--version"];

/** A word of the command line that is not expected there. */
const UNEXPECTED = /^Unexpected option or (argument|subcommand): $/;

/** A remark about dependent arguments, which the parser adds to some messages. */
const DEPENDENCIES = /\.? Dependency chain: "[^"]*"/;

/** The parser's message, with a hint instead of its suggestions, and a reference to the help. */
export function usageProblem(
  found: Message,
  args: readonly string[],
  usages: Usages,
): Message {
  const command = args[commandIndex(args, usages)];
  const help = command === undefined ? "--help" : `${command} --help`;
  const word = unexpectedWord(found);
  const problem = word === undefined
    ? withoutEnd(found)
    : problemOf(word, args, usages);
  return [...problem, text(`; see zestor ${help}`)];
}

function unexpectedWord(
  [first, second]: readonly MessageTerm[],
): string | undefined {
  if (first?.type !== "text" || !UNEXPECTED.test(first.text)) return undefined;
  if (second?.type === "value") return second.value;
  return second?.type === "optionName" ? second.optionName : undefined;
}

/** A message without the full stop at its end. */
function withoutEnd(found: Message): Message {
  return found.map((term, index) =>
    term.type === "text"
      ? {
        ...term,
        text: index === found.length - 1
          ? term.text.replace(DEPENDENCIES, "").replace(/\.\s*$/, "")
          : term.text.replace(DEPENDENCIES, ""),
      }
      : term
  );
}

function problemOf(
  word: string,
  args: readonly string[],
  usages: Usages,
): Message {
  const commandAt = commandIndex(args, usages);
  const wordAt = args.indexOf(word);
  if (commandAt < 0 && !word.startsWith("-")) {
    const similar = findSimilar(word, usages.commands.keys());
    return [text("There is no command "), value(word), ...suggestion(similar)];
  }
  const problem = [text("Unexpected option or argument: "), value(word)];
  const end = args.indexOf("--");
  const isArgument = end >= 0 && end < wordAt;
  return isArgument || !word.startsWith("-")
    ? problem
    : [...problem, ...optionHint(word, { args, usages, commandAt, wordAt })];
}

interface Place {
  readonly args: readonly string[];
  readonly usages: Usages;
  readonly commandAt: number;
  readonly wordAt: number;
}

function optionHint(
  word: string,
  { args, usages, commandAt, wordAt }: Place,
): Message {
  if (/^-\d/.test(word)) {
    return [text(`; put "--" before an argument that begins with a hyphen`)];
  }
  const [name] = word.split("=", 1);
  const command = args[commandAt];
  const ownOptions = optionsOf(usages.commands.get(command));
  const isBefore = commandAt < 0 || wordAt < commandAt;
  if (ownOptions.has(name)) {
    return isBefore ? [text(`; put it after "${command}"`)] : [];
  }
  const owners = [...usages.commands]
    .filter(([, usage]) => optionsOf(usage).has(name))
    .map(([owner]) => owner);
  if (owners.length > 0) return [text(`; it belongs to ${inWords(owners)}`)];
  const valid = [
    ...optionsOf(usages.globals),
    ...OWN_OPTIONS,
    ...isBefore ? [] : ownOptions,
  ].filter((option) => option !== name && !isGiven(option, args));
  return suggestion(findSimilar(name, valid));
}

function optionsOf(usage: Usage | undefined): Set<string> {
  return usage ? extractOptionNames(usage) : new Set();
}

function isGiven(option: string, args: readonly string[]): boolean {
  return args.some((arg) => arg === option || arg.startsWith(`${option}=`));
}

function suggestion(names: readonly string[]): Message {
  if (names.length === 0) return [];
  const terms = names.flatMap((name, index) => [
    text(index === 0 ? " " : ", "),
    optionName(name as `--${string}`),
  ]);
  return [text("; similar:"), ...terms];
}

function inWords(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  const last = quoted.pop();
  return quoted.length === 0
    ? `${last} only`
    : `${quoted.join(", ")} and ${last} only`;
}

/** The index of the command among the words of a command line; -1 if there is none. */
export function commandIndex(
  args: readonly string[],
  { commands, globals }: Usages,
): number {
  for (let at = 0; at < args.length; at++) {
    if (commands.has(args[at])) return at;
    // The next word is its value, even if it is the name of a command.
    if (takesValue(globals, args[at])) at++;
  }
  return -1;
}
