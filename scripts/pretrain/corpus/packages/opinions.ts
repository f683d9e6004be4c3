import { join } from 'node:path';
import { Random } from '../../../../src/support/random.ts';
import type { Document } from '../documents.ts';
import { sentimentWords } from './vader.ts';
import { commonWords, PARTS_OF_SPEECH } from './wordnet.ts';

/** Sentences that express opinions. Words in capitals are replaced by random words. */
const FORMS = [
  'a ADV ADJ NOUN',
  'a ADJ , ADJ NOUN that is never ADJ',
  'ADJ , ADJ and ADV ADJ',
  'ADJ , but not ADJ',
  'the NOUN is ADJ and the NOUN ADJ',
  'too ADJ to be ADJ',
  'it is neither ADJ nor ADJ , just ADJ',
  'so ADJ that even the ADJ NOUN seems ADJ',
  'a NOUN full of NOUN , NOUN and NOUN',
  'with no NOUN and little NOUN',
  'an ADJ NOUN of NOUN and ADJ NOUN',
  'more ADJ than ADJ',
  'despite its ADJ NOUN , it remains ADJ',
  'it could have been ADJ , and instead is ADV ADJ',
  'you will VERB the NOUN and VERB its NOUN',
  'manages to VERB and VERB without being ADJ',
  'fails to VERB , and its NOUN is ADJ',
  'as ADJ as it is ADJ',
  'this ADJ NOUN does not VERB',
  'hardly a ADJ NOUN , but ADV ADJ',
];
const NAMES = { ADJ: 'adj', ADV: 'adv', NOUN: 'noun', VERB: 'verb' } as const;
/** Share of random words that express a sentiment, if the part of speech has such words. */
const WITH_SENTIMENT = 0.5;

/**
 * Yields sentences that express opinions, with random words of WordNet and VADER. The teacher gives any text
 * a meaning, so a student can learn words that are rare in other texts.
 */
export function* opinions(packages: string, count: number, seed: number): Generator<Document> {
  const loaded = sentimentWords(join(packages, 'vader'));
  const words = Object.fromEntries(
    PARTS_OF_SPEECH.map((part) => {
      const all = commonWords(join(packages, 'wordnet'), part);
      return [part, { all, loaded: all.filter((word) => loaded.has(word)) }];
    }),
  );
  const random = new Random(seed, 'opinions');
  const draw = <T>(from: readonly T[]) => from[random.integer(from.length)]!;
  for (let number = 0; number < count; number++) {
    const phrase = draw(FORMS).replace(/[A-Z]{3,4}/g, (name) => {
      const { all, loaded } = words[NAMES[name as keyof typeof NAMES]]!;
      return draw(random.uniform() < WITH_SENTIMENT ? loaded : all);
    });
    yield { id: `opinion ${number}`, paragraphs: [phrase] };
  }
}
