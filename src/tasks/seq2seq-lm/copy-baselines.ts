import type { Baseline } from '../../baselines/baseline.ts';
import { firstSentence } from '../../baselines/first-sentence.ts';
import { bleu } from '../../metrics/bleu.ts';
import { rouge } from '../../metrics/rouge.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { PairData } from './data-section.ts';
import type { Pair } from './read-pairs.ts';

/** Maximum number of characters copied from a source. The time for ROUGE grows with the product of both lengths. */
const MAX_COPIED = 4000;

/** The baselines of generated texts: the first sentence of the source, and the source itself. */
export function copyBaselines(
  _: unknown,
  pairs: readonly Pair[],
  { reading }: Pick<EncodingContext<PairData>, 'reading'>,
): Baseline[] {
  if (!reading.predict_with_generate) return [];
  const targets = pairs.map((pair) => pair.targets);
  const scores = (write: (source: string) => string) => {
    const texts = pairs.map(({ source }) => write(source));
    return { ...rouge(texts, targets), bleu: bleu(texts, targets) };
  };
  return [
    { name: 'the first sentence', isBlind: false, scores: scores(firstSentence) },
    {
      name: 'a copy of the source',
      isBlind: false,
      scores: scores((source) => source.slice(0, MAX_COPIED)),
    },
  ];
}
