import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from '../documents.ts';

export const PARTS_OF_SPEECH = ['adj', 'adv', 'noun', 'verb'] as const;
export type PartOfSpeech = (typeof PARTS_OF_SPEECH)[number];

/** WordNet's entry for each sense: its words, definition and examples. */
export function* wordNet(folder: string): Generator<Document> {
  for (const part of PARTS_OF_SPEECH)
    for (const line of lines(folder, `data.${part}`)) {
      const bar = line.indexOf(' | ');
      const [offset, , , count, ...fields] = line.slice(0, bar).split(' ') as [
        string,
        string,
        string,
        string,
        ...string[],
      ];
      const words = fields.slice(0, 2 * Number.parseInt(count, 16)).filter((_, i) => i % 2 === 0);
      const said = words.map((word) => word.replace(/\(\w+\)$/, '').replaceAll('_', ' ')).join(', ');
      const [meaning, ...examples] = line
        .slice(bar + 3)
        .trim()
        .split(/;\s*(?=")/);
      const paragraphs = [`${said}: ${meaning}.`, ...examples.map((example) => example.replaceAll('"', ''))];
      yield { id: `wordnet ${part} ${offset}`, paragraphs };
    }
}

/** Single words of a part of speech that occur in WordNet's sense-tagged texts. */
export function commonWords(folder: string, part: PartOfSpeech): string[] {
  return lines(folder, `index.${part}`).flatMap((line) => {
    const [lemma, , , pointers, ...rest] = line.trim().split(' ') as [
      string,
      string,
      string,
      string,
      ...string[],
    ];
    const marked = Number(rest[Number(pointers) + 1]);
    return marked > 0 && /^[a-z]{3,}$/.test(lemma) ? [lemma] : [];
  });
}

/** A file's lines without those of the licence, which begin with a space. */
function lines(folder: string, name: string): string[] {
  return readFileSync(join(folder, 'dict', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(' '));
}
