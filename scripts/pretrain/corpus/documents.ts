import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../../src/support/random.ts';
import { cleanParagraphs } from './clean-paragraphs.ts';
import { chitchat } from './packages/chitchat.ts';
import { opinions } from './packages/opinions.ts';
import { vader } from './packages/vader.ts';
import { wordNet } from './packages/wordnet.ts';

/** A text, or a part of a book, as paragraphs of plain English. */
export interface Document {
  /** A permanent id. It decides whether the document is held out. */
  id: string;
  paragraphs: string[];
}

/** Number of paragraphs in a part of a book: some pages. */
const PARAGRAPHS_A_PART = 40;

/**
 * Share of news and novels that is used together with packages. They are most of the text, and an earlier run
 * has read them.
 */
const SHARE_BESIDE_PACKAGES = 0.2;
const OPINIONS = 200_000;
const SEED = 0;

/**
 * Yields all documents.
 *
 * @param folder contains `wikinews/*.jsonl`, as WikiExtractor writes them, and `novels/*.txt`
 * @param packages the folder of files from `fetch-packages.sh`
 */
export function* documents(folder: string, packages?: string): Generator<Document> {
  const seen = new Set<string>();
  const isNew = (paragraph: string) => !seen.has(paragraph) && seen.add(paragraph);
  for (const { id, paragraphs } of sources(folder, packages)) {
    const kept = cleanParagraphs(paragraphs).filter(isNew);
    if (kept.length > 0) yield { id, paragraphs: kept };
  }
}

function* sources(folder: string, packages?: string): Generator<Document> {
  const share = packages === undefined ? 1 : SHARE_BESIDE_PACKAGES;
  for (const document of [...news(join(folder, 'wikinews')), ...novels(join(folder, 'novels'))])
    if (new Random(SEED, `share ${document.id}`).uniform() < share) yield document;
  if (packages === undefined) return;
  yield* wordNet(join(packages, 'wordnet'));
  yield* vader(join(packages, 'vader'));
  yield* chitchat(join(packages, 'chitchat'));
  yield* opinions(packages, OPINIONS, SEED);
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

/** The text of a book without Project Gutenberg's header and footer. */
function body(text: string): string {
  const start = text.match(/^\*\*\* ?START OF.*$/m);
  const end = text.match(/^\*\*\* ?END OF.*$/m);
  return text.slice(start ? start.index! + start[0].length : 0, end?.index);
}
