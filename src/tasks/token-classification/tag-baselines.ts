import type { Baseline } from '../../scores/baselines/baseline.ts';
import { seqeval } from '../../scores/metrics/seqeval.ts';
import type { LabelledSentences } from './token-evaluation.ts';

/**
 * The baselines of tags. The first gives each word its most frequent tag in training, and new words the most frequent
 * tag of all. The second gives every word the most frequent tag of all.
 */
export function tagBaselines(train: LabelledSentences, validation: LabelledSentences): Baseline[] {
  const ofWords = new Map<string, Map<string, number>>();
  const counts = new Map<string, number>();
  const count = (tags: Map<string, number>, tag: string) => tags.set(tag, (tags.get(tag) ?? 0) + 1);
  let total = 0;
  for (const { words, tags } of train.sentences) {
    for (const [i, tag] of tags.entries()) {
      const ofWord = ofWords.get(words[i]!) ?? new Map<string, number>();
      ofWords.set(words[i]!, count(ofWord, tag));
      count(counts, tag);
      total++;
    }
  }
  const usual = mostFrequent(counts);
  const known = new Map([...ofWords].map(([word, tags]) => [word, mostFrequent(tags)]));
  const references = validation.sentences.map(({ tags }) => tags);
  const scores = (tagOf: (word: string) => string) => {
    const predicted = validation.sentences.map(({ words }) => words.map(tagOf));
    const { precision, recall, f1, accuracy } = seqeval(predicted, references);
    return { precision, recall, f1, accuracy };
  };
  const actual = references.flat();
  const loss = actual.reduce((sum, tag) => sum - Math.log(Math.max(counts.get(tag) ?? 0, 0.5) / total), 0);
  return [
    {
      name: "each word's most frequent tag",
      isBlind: false,
      scores: scores((word) => known.get(word) ?? usual),
    },
    {
      name: `always "${usual}"`,
      isBlind: true,
      scores: { ...scores(() => usual), loss: loss / actual.length },
    },
  ];
}

/** The most frequent value. If several are equally frequent, it is the first. */
function mostFrequent(counts: ReadonlyMap<string, number>): string {
  return [...counts].reduce((best, tag) => (tag[1] > best[1] ? tag : best))[0];
}
