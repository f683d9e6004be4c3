import { readFileSync } from 'node:fs';

/** A block of code in a document. */
export interface CodeBlock {
  document: string;
  /** Its first line, from 1. */
  line: number;
  /** The language after the opening fence. Empty for an indented block. */
  language: string;
  text: string;
}

/** The code in a Markdown document: fenced blocks, and paragraphs that are indented by four spaces. */
export function codeBlocks(document: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = readFileSync(document, 'utf8').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const fence = lines[i]!.match(/^ *(```+|~~~+) *([\w-]*)/);
    const isIndented = (line: string) => /^( {4}|\t)/.test(line);
    if (!fence && !(isIndented(lines[i]!) && (i === 0 || lines[i - 1]!.trim() === ''))) continue;
    const start = fence ? i + 1 : i;
    const length = lines
      .slice(start)
      .findIndex((line) => (fence ? line.trim() === fence[1] : !isIndented(line)));
    // An unclosed fence ends with the document, as in Markdown.
    const end = length < 0 ? lines.length : start + length;
    const text = lines.slice(start, end).map((line) => (fence ? line : line.replace(/^( {4}|\t)/, '')));
    blocks.push({ document, line: start + 1, language: fence?.[2] ?? '', text: `${text.join('\n')}\n` });
    i = end;
  }
  return blocks;
}
