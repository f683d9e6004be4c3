import { UserError } from '../../support/user-error.ts';
import { CommonSubsequences } from './common-subsequences.ts';
import { porterStem } from './porter-stem.ts';

export const ROUGE_TYPES = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'] as const;
export type RougeType = (typeof ROUGE_TYPES)[number];

/**
 * Limits on the steps of rougeLsum through the tables of sentence pairs. If all lines are short and alike, it
 * takes thousands of steps per word. Two novels with one sentence per line take 40.
 */
const MAX_STEPS = 2 ** 24;
const MAX_STEPS_PER_WORD = 64;

/** Values from 0 to 1. */
export interface RougeScore {
  precision: number;
  recall: number;
  fmeasure: number;
}

/**
 * Mean scores of texts, equal to the Python package rouge_score 0.1.2 with `use_stemmer=True`.
 *
 * @param references one or more references for each text; for each score, the best reference counts
 * @throws UserError for texts that take too many steps to compare
 */
export function rouge(
  predictions: readonly string[],
  references: readonly (readonly string[])[],
): Record<RougeType, number> {
  let left = MAX_STEPS;
  const scores = predictions.map((prediction, i) =>
    rougeOfText(prediction, references[i]!, (steps) => {
      left -= steps;
      if (left < 0) throw tooAlike(i);
    }),
  );
  const mean = (type: RougeType) =>
    scores.reduce((sum, score) => sum + score[type].fmeasure, 0) / scores.length;
  return {
    rouge1: mean('rouge1'),
    rouge2: mean('rouge2'),
    rougeL: mean('rougeL'),
    rougeLsum: mean('rougeLsum'),
  };
}

function tooAlike(index: number): UserError {
  return new UserError({
    where: `text ${index + 1}`,
    fault: 'and its references have too many short lines with the same words for rougeLsum',
    hint: 'Join their lines, or score fewer texts at once.',
  });
}

/**
 * The scores of a text against its best references.
 *
 * @param spend called with the number of steps taken; called with a negative number to allow steps for more
 * words
 */
export function rougeOfText(
  prediction: string,
  references: readonly string[],
  spend: (steps: number) => void = () => {},
): Record<RougeType, RougeScore> {
  const predicted = new Tokens(prediction);
  const each = references.map((reference) => computeScores(new Tokens(reference), predicted, spend));
  const best = (type: RougeType) =>
    each.map((scores) => scores[type]).reduce((a, b) => (b.fmeasure > a.fmeasure ? b : a));
  return {
    rouge1: best('rouge1'),
    rouge2: best('rouge2'),
    rougeL: best('rougeL'),
    rougeLsum: best('rougeLsum'),
  };
}

class Tokens {
  readonly all: readonly string[];
  /** The words of each line. rougeLsum treats a line as a sentence. */
  readonly lines: readonly (readonly string[])[];

  constructor(text: string) {
    this.all = tokenize(text);
    this.lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map(tokenize);
  }
}

/** Splits a text into words of ASCII letters and digits. Words of more than three characters are stemmed. */
function tokenize(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.map((word) => (word.length > 3 ? porterStem(word) : word));
}

function computeScores(
  reference: Tokens,
  predicted: Tokens,
  spend: (steps: number) => void,
): Record<RougeType, RougeScore> {
  const [target, given] = [reference.all, predicted.all];
  spend(-MAX_STEPS_PER_WORD * (target.length + given.length));
  return {
    rouge1: score(sharedNgrams(target, given, 1), target.length, given.length),
    rouge2: score(sharedNgrams(target, given, 2), target.length - 1, given.length - 1),
    rougeL: score(new CommonSubsequences([given]).with(target, spend).size, target.length, given.length),
    rougeLsum: score(unionHits(reference.lines, predicted.lines, spend), target.length, given.length),
  };
}

/**
 * @param hits number of common words
 * @param wanted number of words in the reference
 * @param given number of words in the text
 */
function score(hits: number, wanted: number, given: number): RougeScore {
  const precision = hits / Math.max(given, 1);
  const recall = hits / Math.max(wanted, 1);
  const fmeasure = hits === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, fmeasure };
}

function sharedNgrams(target: readonly string[], given: readonly string[], size: number): number {
  const [wanted, there] = [counts(ngrams(target, size)), counts(ngrams(given, size))];
  let shared = 0;
  for (const [ngram, count] of wanted) shared += Math.min(count, there.get(ngram) ?? 0);
  return shared;
}

function ngrams(tokens: readonly string[], size: number): string[] {
  return Array.from({ length: Math.max(0, tokens.length - size + 1) }, (_, i) =>
    tokens.slice(i, i + size).join(' '),
  );
}

function counts(items: Iterable<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (const item of items) found.set(item, (found.get(item) ?? 0) + 1);
  return found;
}

/**
 * Number of words in the reference's sentences that belong to a longest common subsequence with any sentence
 * of the text. A word counts at most as often as it occurs in either text.
 */
function unionHits(
  target: readonly (readonly string[])[],
  given: readonly (readonly string[])[],
  spend: (steps: number) => void,
): number {
  const [wanted, there] = [counts(target.flat()), counts(given.flat())];
  const subsequences = new CommonSubsequences(different(given));
  const known = new Map(
    different(target).map((sentence) => [
      sentence.join(' '),
      [...subsequences.with(sentence, spend)].sort((a, b) => a - b),
    ]),
  );
  let hits = 0;
  for (const sentence of target) {
    for (const place of known.get(sentence.join(' '))!) {
      const word = sentence[place]!;
      const [left, leftThere] = [wanted.get(word) ?? 0, there.get(word) ?? 0];
      if (left === 0 || leftThere === 0) continue;
      wanted.set(word, left - 1);
      there.set(word, leftThere - 1);
      hits++;
    }
  }
  return hits;
}

/** Removes duplicate sentences. */
function different(sentences: readonly (readonly string[])[]): (readonly string[])[] {
  return [...new Map(sentences.map((sentence) => [sentence.join(' '), sentence])).values()];
}
