import { PYTHON_SPACE, trimEnd } from '../../support/text.ts';

const MAX_ORDER = 4;

const SPACES = new RegExp(`[${PYTHON_SPACE}]+`);

/** Counts for `bleu` over all texts. Lists are indexed by the length of n-grams, from 1. */
interface Statistics {
  /** Number of words in all predictions, and in the references with the nearest lengths. */
  predicted: number;
  wanted: number;
  correct: number[];
  total: number[];
}

/**
 * Corpus BLEU from 0 to 100, equal to sacrebleu 2.6 with its defaults: tokens `13a`, n-grams up to 4,
 * exponential smoothing.
 *
 * @param references one or more references for each text
 */
export function bleu(predictions: readonly string[], references: readonly (readonly string[])[]): number {
  const statistics: Statistics = {
    predicted: 0,
    wanted: 0,
    correct: new Array<number>(MAX_ORDER).fill(0),
    total: new Array<number>(MAX_ORDER).fill(0),
  };
  predictions.forEach((prediction, i) => {
    count(statistics, tokenize13a(prediction), references[i]!.map(tokenize13a));
  });
  return computeScore(statistics);
}

/** Splits a text into words like mteval-v13a, NIST's script. */
export function tokenize13a(text: string): string[] {
  const line = trimEnd(text, SPACES)
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return ` ${line} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(SPACES)
    .filter((word) => word !== '');
}

function count(statistics: Statistics, predicted: string[], references: readonly string[][]): void {
  const known = new Map<string, number>();
  for (const reference of references) {
    for (const [ngram, { times }] of ngrams(reference))
      known.set(ngram, Math.max(times, known.get(ngram) ?? 0));
  }
  statistics.predicted += predicted.length;
  statistics.wanted += nearestLength(
    predicted.length,
    references.map(({ length }) => length),
  );
  for (const [ngram, { order, times }] of ngrams(predicted)) {
    statistics.total[order - 1]! += times;
    statistics.correct[order - 1]! += Math.min(times, known.get(ngram) ?? 0);
  }
}

function ngrams(words: readonly string[]): Map<string, { order: number; times: number }> {
  const counts = new Map<string, { order: number; times: number }>();
  for (let order = 1; order <= MAX_ORDER; order++) {
    for (let start = 0; start + order <= words.length; start++) {
      const ngram = words.slice(start, start + order).join(' ');
      const known = counts.get(ngram);
      if (known) known.times++;
      else counts.set(ngram, { order, times: 1 });
    }
  }
  return counts;
}

/** Returns the nearest length. If two are equally near, returns the shorter one. */
function nearestLength(length: number, lengths: readonly number[]): number {
  return lengths.reduce((best, other) => {
    const [nearer, before] = [Math.abs(other - length), Math.abs(best - length)];
    return nearer < before || (nearer === before && other < best) ? other : best;
  });
}

function computeScore({ predicted, wanted, correct, total }: Statistics): number {
  if (correct.every((hits) => hits === 0)) return 0;
  const brevity = predicted < wanted ? Math.exp(1 - wanted / predicted) : 1;
  let smoothing = 1;
  let logarithms = 0;
  for (let i = 0; i < MAX_ORDER; i++) {
    // No text has an n-gram of this length.
    if (total[i] === 0) return 0;
    if (correct[i] === 0) smoothing *= 2;
    logarithms += Math.log((100 * (correct[i] || 1 / smoothing)) / total[i]!);
  }
  return brevity * Math.exp(logarithms / MAX_ORDER);
}
