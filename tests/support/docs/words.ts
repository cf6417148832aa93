/**
 * The commands in a document's blocks of shell.
 *
 * @module
 */

/** One word, or what ends a command. Quotes of one kind are in no other. */
const PARTS =
  /\s*(?:(#.*)|(&&|\|\|?|;|&)|\d*>{1,2}\s*\S+|((?:'[^']*'|"[^"]*"|\\.|[^\s'"|;&>#\\]|\B#)+))/gy;

/** The commands of a script, each as its words. */
export function commandsIn(script: string): string[][] {
  const lines = script.replaceAll("\\\n", " ").split("\n");
  return lines.flatMap(commandsOfLine).filter((words) => words.length > 0);
}

function commandsOfLine(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [, comment, end, word] of line.matchAll(PARTS)) {
    if (comment !== undefined) break;
    if (end !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)!.push(unquoted(word));
  }
  return commands;
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)'|"([^"]*)"|\\(.)/g,
    (_part, one, two, three) => one ?? two ?? three,
  );
}
