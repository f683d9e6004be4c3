import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanParagraphs } from './clean-paragraphs.ts';

/** A text, or a part of a book, in paragraphs of plain English. */
export interface Document {
  /** Names it for ever: what decides on which side of the split it falls. */
  id: string;
  paragraphs: string[];
}

/** Paragraphs of a book that are taken for one document: some pages. */
const PARAGRAPHS_A_PART = 40;

/** All documents below `folder`: `wikinews/*.jsonl` as WikiExtractor writes them, `novels/*.txt`. */
export function* documents(folder: string): Generator<Document> {
  const seen = new Set<string>();
  const isNew = (paragraph: string) => !seen.has(paragraph) && seen.add(paragraph);
  for (const { id, paragraphs } of [...news(join(folder, 'wikinews')), ...novels(join(folder, 'novels'))]) {
    const kept = cleanParagraphs(paragraphs).filter(isNew);
    if (kept.length > 0) yield { id, paragraphs: kept };
  }
}

function* news(folder: string): Generator<Document> {
  for (const file of readdirSync(folder).sort()) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      if (line.trim() === '') continue;
      const { id, title, text } = JSON.parse(line) as Record<'id' | 'title' | 'text', string>;
      if (text === '') continue;
      yield { id: `news ${id}`, paragraphs: [`${title}.`, ...text.split('\n')] };
    }
  }
}

function* novels(folder: string): Generator<Document> {
  for (const file of readdirSync(folder).sort()) {
    const text = readFileSync(join(folder, file), 'utf8')
      .replace(/^\uFEFF/, '')
      .replaceAll('\r\n', '\n');
    const paragraphs = body(text).split(/\n\s*\n/);
    for (let at = 0; at < paragraphs.length; at += PARAGRAPHS_A_PART) {
      yield { id: `${file} ${at}`, paragraphs: paragraphs.slice(at, at + PARAGRAPHS_A_PART) };
    }
  }
}

/** A book without what Project Gutenberg puts around it. */
function body(text: string): string {
  const start = text.match(/^\*\*\* ?START OF.*$/m);
  const end = text.match(/^\*\*\* ?END OF.*$/m);
  return text.slice(start ? start.index! + start[0].length : 0, end?.index);
}
