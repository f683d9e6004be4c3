import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from '../documents.ts';

/** VADER's film reviews are left out, because they overlap with SST-2. */
const FILES = ['amazonReviewSnippets', 'nytEditorialSnippets', 'tweets'];

/** Sentences of product reviews, editorials and tweets from VADER, which were collected to rate their sentiment. */
export function* vader(folder: string): Generator<Document> {
  for (const name of FILES)
    for (const line of tabbed(join(folder, `${name}_GroundTruth.txt`)))
      yield { id: `${name} ${line[0]}`, paragraphs: [line[2]!.replaceAll('&amp;', '&')] };
}

/** VADER's words that express a sentiment. */
export function sentimentWords(folder: string): Set<string> {
  return new Set(tabbed(join(folder, 'vader_sentiment_lexicon.txt')).map(([word]) => word!));
}

function tabbed(path: string): string[][] {
  return readFileSync(path, 'latin1')
    .split(/\r?\n/)
    .filter(Boolean)
    .map((line) => line.split('\t'));
}
