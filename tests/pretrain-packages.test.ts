import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { chitchat } from '../scripts/pretrain/corpus/packages/chitchat.ts';
import { opinions } from '../scripts/pretrain/corpus/packages/opinions.ts';
import { vader } from '../scripts/pretrain/corpus/packages/vader.ts';
import { commonWords, wordNet } from '../scripts/pretrain/corpus/packages/wordnet.ts';
import { newFolder } from './support/new-folder.ts';

const LICENCE = '  1 This software is provided to you\n';
const SENSES = {
  adj: '00 a 01 dull 0 001 ! 00000002 a 0101 | lacking in interest; "a dull play"; "so dull"',
  adv: '02 r 02 very 0 much_better(a) 0 000 | to a degree',
  noun: '04 n 01 play 0 000 | a work for the stage',
  verb: '29 v 01 bore 0 000 01 + 08 00 | cause to be bored',
};
/** Lemma, part of speech, senses, number and kinds of pointers, senses again, tagged ones, offsets. */
const INDEX = {
  adj: 'dull a 1 2 ! & 1 3 00000001\nabaxial a 1 1 ! 1 0 00000002\n',
  adv: 'very r 1 0 1 2 00000001\n',
  noun: 'play n 1 1 @ 1 1 00000001\nplay_back n 1 1 @ 1 1 00000002\n',
  verb: 'bore v 1 1 @ 1 1 00000001\n',
};

const folder = newFolder();
beforeAll(() => {
  const write = (content: string, ...path: string[]) => {
    mkdirSync(join(folder, ...path.slice(0, -1)), { recursive: true });
    writeFileSync(join(folder, ...path), content);
  };
  for (const [part, sense] of Object.entries(SENSES)) {
    write(`${LICENCE}00000001 ${sense}  \n`, 'wordnet', 'dict', `data.${part}`);
    write(`${LICENCE}${INDEX[part as keyof typeof INDEX]}`, 'wordnet', 'dict', `index.${part}`);
  }
  for (const name of ['amazonReviewSnippets', 'nytEditorialSnippets', 'tweets'])
    write(`1_1\t-0.9\tneither bread &amp; butter (${name})\r\n`, 'vader', `${name}_GroundTruth.txt`);
  const lexicon = ['dull', 'very', 'play', 'bore'].map((word) => `${word}\t-1.7\n`).join('');
  write(lexicon, 'vader', 'vader_sentiment_lexicon.txt');
  const messages = [[{ text: 'Hello' }, { text: 'How are you' }], [{ text: 'Fine' }]];
  write(JSON.stringify({ a: { messages } }), 'chitchat', 'chitchat_dataset', 'dataset.json');
});

it('reads the senses of WordNet, with their words and examples', () => {
  expect([...wordNet(join(folder, 'wordnet'))].map(({ paragraphs }) => paragraphs)).toEqual([
    ['dull: lacking in interest.', 'a dull play', 'so dull'],
    ['very, much better: to a degree.'],
    ['play: a work for the stage.'],
    ['bore: cause to be bored.'],
  ]);
  expect(commonWords(join(folder, 'wordnet'), 'adj')).toEqual(['dull']);
  expect(commonWords(join(folder, 'wordnet'), 'noun')).toEqual(['play']);
});

it('reads the sentences of VADER and the turns of conversations', () => {
  expect([...vader(join(folder, 'vader'))][0]).toEqual({
    id: 'amazonReviewSnippets 1_1',
    paragraphs: ['neither bread & butter (amazonReviewSnippets)'],
  });
  expect([...chitchat(join(folder, 'chitchat'))]).toEqual([
    { id: 'chitchat a', paragraphs: ['Hello. How are you', 'Fine'] },
  ]);
});

it('draws opinions from their words, the same for a seed', () => {
  const drawn = (seed: number) => [...opinions(folder, 50, seed)].flatMap(({ paragraphs }) => paragraphs);
  expect(drawn(0)).toEqual(drawn(0));
  expect(drawn(0)).not.toEqual(drawn(1));
  expect(drawn(0).filter((phrase) => /[A-Z]|undefined/.test(phrase))).toEqual([]);
  expect(drawn(0)).toContain('too dull to be dull');
});
