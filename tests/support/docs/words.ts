/**
 * The commands in a document's blocks of shell.
 *
 * @module
 */

/** A comment, what ends a command, a redirection, or a word. */
const PART =
  /[^\S\n]*(?:(#[^\n]*)|(\n|&&|\|\|?|;|&)|\d*(?:>{1,2}|<)[^\S\n]*(?:&\d|[^\s|;&]+)|((?:'[^']*'|"[^"]*"|\\.|[^\s'"|;&<>#\\])(?:'[^']*'|"[^"]*"|\\.|[^\s'"|;&<>\\])*))/y;

/**
 * The commands of a script, each as its words, without its redirections. Throws
 * if it cannot read the script.
 */
export function commandsIn(script: string): string[][] {
  const text = script.replaceAll("\\\n", " ").trimEnd();
  const commands: string[][] = [[]];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const rest = text.slice(PART.lastIndex);
    const part = PART.exec(text);
    if (!part) throw new SyntaxError(`Cannot read the script at ${rest}`);
    const [, _comment, end, word] = part;
    if (end !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)!.push(unquoted(word));
  }
  return commands.filter((words) => words.length > 0);
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)'|"([^"]*)"|\\(.)/g,
    (_part, one, two, three) => one ?? two ?? three,
  );
}
