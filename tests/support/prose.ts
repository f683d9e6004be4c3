import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** A piece of English in a file: a comment, a string or a paragraph. */
export interface Prose {
  path: string;
  /** Its first line, from 1. */
  line: number;
  kind: 'comment' | 'string' | 'document';
  isHeading?: boolean;
  text: string;
}

/** The comments and strings of a TypeScript file. In a test, only titles are strings of prose. */
export function proseOfSource(path: string): Prose[] {
  const source = readFileSync(path, 'utf8');
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true);
  const found: Prose[] = [];
  const add = (kind: Prose['kind'], position: number, text: string) =>
    found.push({ path, line: ts.getLineAndCharacterOfPosition(file, position).line + 1, kind, text });
  const seen = new Set<number>();
  const comments = (ranges: readonly ts.CommentRange[] | undefined) => {
    for (const { pos, end } of ranges ?? []) {
      if (seen.has(pos)) continue;
      seen.add(pos);
      add('comment', pos, source.slice(pos, end).replaceAll(/^\s*(\/\*\*?|\*\/|\*|\/\/)|\*\/$/gm, ''));
    }
  };
  const visit = (node: ts.Node): void => {
    comments(ts.getLeadingCommentRanges(source, node.pos));
    comments(ts.getTrailingCommentRanges(source, node.end));
    const isString =
      ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isString && (!isTest || isTitle(node))) add('string', node.pos, node.text);
    ts.forEachChild(node, visit);
  };
  const isTest = path.endsWith('.test.ts');
  // The first argument of a call such as it('…') or describe.skipIf(…)('…').
  const isTitle = ({ parent }: ts.Node) =>
    ts.isCallExpression(parent) && /^(it|describe)\b/.test(parent.expression.getText(file));
  visit(file);
  return found;
}

/** The paragraphs, list items and table cells of a Markdown text, without code and link targets. */
export function proseOfMarkdown(path: string, markdown = readFileSync(path, 'utf8')): Prose[] {
  const found: Prose[] = [];
  let isCode = false;
  let begins = true;
  for (const [i, line] of markdown.split('\n').entries()) {
    if (/^ *(```|~~~)/.test(line)) isCode = !isCode;
    const isText = !isCode && line.trim() !== '' && !/^( {4}|\t|```|~~~|\|[-:| ]+\|$)/.test(line);
    const startsBlock = begins || /^ *(#|[-*] |\d+\. |\||>)/.test(line);
    begins = !isText || /^ *(#|\|)/.test(line);
    if (!isText) continue;
    const plain = line
      .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/`[^`]*`/g, 'code')
      .replace(/^ *(#+|[-*]|\d+\.|>) /, '');
    const cells = line.startsWith('|') ? plain.split('|').filter((cell) => cell.trim() !== '') : [plain];
    for (const cell of cells) {
      const last = found.at(-1);
      if (startsBlock || cells.length > 1 || !last)
        found.push({ path, line: i + 1, kind: 'document', isHeading: line.startsWith('#'), text: cell });
      else last.text += ` ${cell.trim()}`;
    }
  }
  return found;
}

/** Splits a text into sentences. */
export function sentencesOf(text: string): string[] {
  return text
    .replaceAll(/\s+/g, ' ')
    .split(/(?<=[.?!][")]?) (?=[A-Z"(`])/)
    .map((sentence) => sentence.trim());
}
