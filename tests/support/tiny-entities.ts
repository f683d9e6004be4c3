import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/support/random.ts';
import { TINY_CONFIG, TINY_TOKENIZER, writeTinyModel } from './tiny-model.ts';

/** A made-up sentence. Its names are invented, and most of them have several pieces. */
interface TinyEntities {
  words: string[];
  /** IOB2 tags of the types PER, LOC and ORG. */
  tags: string[];
}

const GIVEN = ['tavi', 'orlo', 'mirre', 'jasko'];
const STEMS = ['vel', 'mor', 'kel', 'dor', 'sul', 'pen', 'bri', 'tan'];
const FAMILY = ['##sen', '##ova'];
const PLACE = ['##burg', '##ham'];
const FIRM = ['##tek', '##ia'];
const WORDS = ['met', 'in', 'works', 'for', 'sold', 'to', 'visited', 'bank', 'union', 'north', 'then', 'of'];
const PIECES = [...GIVEN, ...STEMS, ...FAMILY, ...PLACE, ...FIRM, ...WORDS];

/** Sentences as words, with a type in place of each entity. */
const TEMPLATES = [
  'PER met PER in LOC .',
  'PER works for ORG .',
  'then ORG sold the fish to ORG of LOC .',
  'in LOC the dog met PER .',
  'PER , PER visited ORG in LOC .',
  'the cat sat on the mat .',
  'ORG works in LOC , not in LOC .',
];

/** Draws the words of a name. For some names, only the context shows the type. */
type Name = (random: Random) => string[];

const NAMES: Readonly<Record<string, Name>> = {
  // Some people have the name of a place.
  PER: (random) => [
    capital(draw(random, GIVEN)),
    ...(random.uniform() < 0.7 ? [made(random, random.uniform() < 0.8 ? FAMILY : PLACE)] : []),
  ],
  LOC: (random) => [...(random.uniform() < 0.3 ? ['North'] : []), made(random, PLACE)],
  ORG: (random) => {
    const ending = random.uniform();
    if (ending < 0.3) return [made(random, PLACE), draw(random, ['Bank', 'Union'])];
    return [made(random, FIRM), ...(ending < 0.5 ? [draw(random, ['Bank', 'Union'])] : [])];
  },
};

/** The same seed gives the same sentences. */
function tinyEntities(count: number, seed: number): TinyEntities[] {
  const random = new Random(seed, 'tiny entities');
  return Array.from({ length: count }, () => {
    const sentence: TinyEntities = { words: [], tags: [] };
    for (const part of draw(random, TEMPLATES).split(' ')) {
      const name = NAMES[part]?.(random);
      sentence.words.push(...(name ?? [part]));
      sentence.tags.push(...(name?.map((_, i) => `${i === 0 ? 'B' : 'I'}-${part}`) ?? ['O']));
    }
    return sentence;
  });
}

/** Writes made-up sentences as CoNLL columns, or for a JSON Lines path with the keys `tokens` and `ner_tags`. */
export function writeTinyEntities(path: string, count: number, seed: number): void {
  const sentences = tinyEntities(count, seed).map(({ words, tags }) =>
    path.endsWith('.jsonl')
      ? JSON.stringify({ tokens: words, ner_tags: tags })
      : words.map((word, i) => `${word}\t${tags[i]}\n`).join(''),
  );
  writeFileSync(path, `${sentences.join('\n')}\n`);
}

/** Writes the tiny model with a vocabulary for these names. */
export function writeTinyTagger(folder: string, config: object = {}): void {
  const pieces = [...Object.keys(TINY_TOKENIZER.model.vocab), ...PIECES];
  writeTinyModel(folder, { ...TINY_CONFIG, vocab_size: pieces.length, ...config });
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const tokenizer = { ...TINY_TOKENIZER, model: { ...TINY_TOKENIZER.model, vocab } };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
}

function draw<T>(random: Random, options: readonly T[]): T {
  return options[random.integer(options.length)]!;
}

function made(random: Random, endings: readonly string[]): string {
  return capital(draw(random, STEMS) + draw(random, endings).slice(2));
}

function capital(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}
