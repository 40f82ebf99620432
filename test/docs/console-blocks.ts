/**
 * What a document shows in its ```console blocks: commands and what they print.
 *
 *     ```console            commands that run to their end, one after another
 *     $ npx nimify --version
 *     0.1.0
 *     ```
 *     ```console server     one command that keeps running; the block is done when the last line was printed
 *     ```console stop       Ctrl-C (`^C`) for that command, and what it prints then
 *
 * A line `...` stands for any number of lines, `...` within a line for any text. A command goes on in the next line
 * after a backslash.
 */
export interface Step {
  /** The command, or `^C`. */
  readonly command: string;
  /** What is printed, as the document shows it. */
  readonly output: readonly string[];
}

export interface ConsoleBlock {
  readonly kind: 'run' | 'server' | 'stop';
  /** Line of the document at which the block begins, from 1. */
  readonly line: number;
  readonly steps: readonly Step[];
}

export function readConsoleBlocks(markdown: string): ConsoleBlock[] {
  const blocks: ConsoleBlock[] = [];
  for (const match of markdown.matchAll(/^```console(?: (\w+))?\n([\s\S]*?)^```$/gm)) {
    const kind = match[1] ?? 'run';
    if (kind !== 'run' && kind !== 'server' && kind !== 'stop')
      throw new Error(`unknown kind of block: ${kind}`);
    const line = markdown.slice(0, match.index).split('\n').length;
    blocks.push({ kind, line, steps: readSteps(match[2] ?? '') });
  }
  return blocks;
}

function readSteps(text: string): Step[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (line === '^C') steps.push({ command: line, output: [] });
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [] });
    else if (last === undefined) throw new Error(`output without a command: ${line}`);
    else if (last.command.endsWith('\\') && last.output.length === 0) last.command += `\n${line}`;
    else last.output.push(line);
  }
  return steps;
}

/** Whether what was printed fits what the document shows, colours and trailing space aside. */
export function fits(printed: string, shown: readonly string[]): boolean {
  const lines = plain(printed).split('\n');
  while (lines.at(-1) === '') lines.pop();
  return fitsFrom(lines, 0, shown, 0);
}

function fitsFrom(lines: readonly string[], at: number, shown: readonly string[], next: number): boolean {
  const pattern = shown[next];
  if (pattern === undefined) return at === lines.length;
  if (pattern.trim() === '...') {
    for (let skipped = at; skipped <= lines.length; skipped += 1) {
      if (fitsFrom(lines, skipped, shown, next + 1)) return true;
    }
    return false;
  }
  const line = lines[at];
  return line !== undefined && fitsLine(line, pattern) && fitsFrom(lines, at + 1, shown, next + 1);
}

function fitsLine(line: string, pattern: string): boolean {
  const parts = pattern.trimEnd().split('...');
  const expression = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${expression}$`).test(line.trimEnd());
}

function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  return text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
}
