import { fitLinear, linearScores, type SparseRows } from '../../scores/baselines/linear-model.ts';
import { exactInterval, type ScoreInterval } from '../../scores/metrics/score-interval.ts';
import { addUp, largest, smallest } from '../../support/numbers.ts';
import { Random } from '../../support/random.ts';

/** Number of labels, because each has a digit as its key. */
export const MAX_LABELS = 9;
/** Maximum number of rows to choose from. Their vectors take seconds, and a probe scores them after every answer. */
export const MAX_ROWS = 5000;

/** The first rows are drawn at random, because a probe of a few rows is sure of what it has not seen. */
const FIRST = 10;
/**
 * Share of the rows that are reserved for the estimate of the accuracy, and of the later questions that ask for them. They
 * are drawn before the first answer, and the probe never learns them: the choice of the other rows depends on what it has
 * learned, so a cross-validation would be too pessimistic (bench/log/2026-12-03-label.md).
 */
const RANDOM_SHARE = 0.2;
/** The inverse of the penalty (scikit-learn's C) of a probe on vectors of length 1. */
const STRENGTH = 5;
const FOLDS = 5;
/** Labeling may stop if the last answers changed at most this share of the guesses. */
const [STABLE_AFTER, RECENT, STABLE_SHARE] = [40, 20, 0.02];
/** A label that the probe of the other rows finds less likely than this contradicts them. */
const UNLIKELY = 0.1;

/** A person's answer for a row. */
export interface GivenLabel {
  row: number;
  /** Missing for a skipped row. */
  labels?: readonly string[];
  /** Whether the row was drawn at random, for the estimate of the accuracy. */
  isRandom?: boolean;
}

/** The row to label next. */
export interface AskedRow {
  row: number;
  isRandom: boolean;
  /** Missing until a probe has learned. */
  guess?: { labels: readonly string[]; probability: number };
}

export interface LabelReview {
  /** The number of rows that were drawn at random, and how many the probe of the others labels correctly. */
  random: { rows: number; right: number; interval: ScoreInterval } | undefined;
  /** Rows with labels that contradict the others, the least likely first. */
  contradictions: number[];
  /** Whether more labels would change little. */
  isStable: boolean;
}

/** Probabilities of labels for each row, [rows, labels]. */
interface Guesses {
  labels: readonly string[];
  /** Whether the labels are independent. */
  several: boolean;
  probabilities: Float64Array;
}

type Labeled = GivenLabel & { labels: readonly string[] };

/**
 * Labeling by uncertainty: after every answer, a linear probe of the rows' vectors learns the labels so far and asks for
 * the row with the smallest margin. The state is the list of answers. The same answers lead to the same next row.
 */
export class Labeling {
  readonly labels: readonly string[];
  /** Whether a row may have several labels, or none. */
  readonly several: boolean;
  readonly answers: GivenLabel[];
  readonly #vectors: readonly Float64Array[];
  readonly #all: SparseRows;

  constructor(
    vectors: readonly Float32Array[],
    labels: readonly string[],
    answers: readonly GivenLabel[] = [],
    several = false,
  ) {
    this.labels = labels;
    this.several = several;
    this.answers = answers.map((answer) => ({ ...answer }));
    this.#vectors = scaleVectors(vectors);
    this.#all = denseRows(this.#vectors);
  }

  /** Number of rows. */
  get rows(): number {
    return this.#vectors.length;
  }

  /** The answers with labels. */
  get labeled(): Labeled[] {
    return this.answers.filter((answer): answer is Labeled => answer.labels !== undefined);
  }

  /** The row to label next. Undefined if all rows have an answer. */
  async ask(): Promise<AskedRow | undefined> {
    const answered = new Set(this.answers.map(({ row }) => row));
    const order = new Random(0, 'labeling').permutation(this.rows);
    const reserved = Math.ceil(RANDOM_SHARE * this.rows);
    const [test, rest] = [order.subarray(0, reserved), order.subarray(reserved)].map((rows) =>
      [...rows].filter((row) => !answered.has(row)),
    ) as [number[], number[]];
    const guesses = await this.#probe();
    const isFirst = !guesses || this.labeled.length < FIRST;
    const isDrawn = new Random(0, 'labeling', this.answers.length).uniform() < RANDOM_SHARE;
    const isRandom = test.length > 0 && (rest.length === 0 || (!isFirst && isDrawn));
    const next = isRandom ? test : rest;
    if (next.length === 0) return undefined;
    if (isRandom || isFirst)
      return { row: next[0]!, isRandom, ...(guesses && { guess: best(guesses, next[0]!) }) };
    const row = next.reduce((a, b) => (margin(guesses, b) < margin(guesses, a) ? b : a));
    return { row, isRandom, guess: best(guesses, row) };
  }

  /** Labels or skips a row. An earlier label of the row is replaced, and the row counts as drawn as it was then. */
  answer(answer: GivenLabel): void {
    const at = this.answers.findIndex(({ row }) => row === answer.row);
    if (at < 0) this.answers.push(answer);
    else this.answers[at] = { ...answer, isRandom: this.answers[at]!.isRandom };
  }

  /** Takes the last answer back. */
  undo(): void {
    this.answers.pop();
  }

  /** The guesses from the rows that do not estimate the accuracy. */
  #probe(labeled = this.labeled): Promise<Guesses | undefined> {
    return this.guess(labeled.filter(({ isRandom }) => !isRandom));
  }

  /** Returns the guesses of a probe for all rows. Undefined if too few labels have rows. */
  async guess(from: readonly Labeled[]): Promise<Guesses | undefined> {
    const { several } = this;
    const labels = this.labels.filter((label) => from.some((answer) => answer.labels.includes(label)));
    if (labels.length < (several ? 1 : 2)) return undefined;
    const x = denseRows(from.map(({ row }) => this.#vectors[row]!));
    const targets = from.flatMap((answer) =>
      several
        ? labels.map((label) => (answer.labels.includes(label) ? 1 : 0))
        : labels.indexOf(answer.labels[0]!),
    );
    const width = this.#vectors[0]!.length;
    const weights = await fitLinear(x, width, targets, labels.length, several ? 'sigmoid' : 'softmax');
    const scores = linearScores(this.#all, weights, labels.length);
    const probabilities = several
      ? scores.map((score) => 1 / (1 + Math.exp(-score)))
      : softmax(scores, labels.length);
    return { labels, several, probabilities };
  }

  /** The guess for a row from the labels of the other rows. */
  async guessWithout(row: number): Promise<AskedRow['guess']> {
    const guesses = await this.guess(this.labeled.filter((answer) => answer.row !== row));
    return guesses && best(guesses, row);
  }

  /** Checks the answers: the random ones by the probe of the others, and all by a cross-validation. */
  async review(): Promise<LabelReview> {
    const { labeled } = this;
    const unlikely: { row: number; probability: number }[] = [];
    for (let fold = 0; fold < FOLDS; fold++) {
      const guesses = await this.guess(labeled.filter((_, i) => i % FOLDS !== fold));
      if (!guesses) continue;
      for (const { row, labels } of labeled.filter((_, i) => i % FOLDS === fold)) {
        const probability = likelihood(guesses, row, labels);
        if (probability !== undefined && probability < UNLIKELY) unlikely.push({ row, probability });
      }
    }
    return {
      random: await this.#estimate(),
      contradictions: unlikely.sort((a, b) => a.probability - b.probability).map(({ row }) => row),
      isStable: await this.#isStable(),
    };
  }

  async #estimate(): Promise<LabelReview['random']> {
    const drawn = this.labeled.filter(({ isRandom }) => isRandom);
    const guesses = await this.#probe();
    if (!guesses || drawn.length === 0) return undefined;
    const right = drawn.filter(({ row, labels }) => sameLabels(best(guesses, row).labels, labels)).length;
    return { rows: drawn.length, right, interval: exactInterval(right, drawn.length) };
  }

  async #isStable(): Promise<boolean> {
    const { labeled } = this;
    if (labeled.length < STABLE_AFTER) return false;
    const [before, now] = [await this.#probe(labeled.slice(0, -RECENT)), await this.#probe()];
    if (!before || !now) return false;
    const changed = addUp(this.#vectors.keys(), (row) =>
      sameLabels(best(before, row).labels, best(now, row).labels) ? 0 : 1,
    );
    return changed <= STABLE_SHARE * this.rows;
  }
}

function sameLabels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((label) => b.includes(label));
}

/** The most likely labels of a row. */
function best(guesses: Guesses, row: number) {
  const of = readProbabilities(guesses, row);
  const first = of.indexOf(largest(of));
  const labels = guesses.labels.filter((_, i) => (guesses.several ? of[i]! > 0.5 : i === first));
  return { labels, probability: likelihood(guesses, row, labels)! };
}

/**
 * The probability of a row's labels; if it may have several, the smallest one of a label that it has, or of the absence of
 * another. Undefined for a label without probability.
 */
function likelihood(guesses: Guesses, row: number, given: readonly string[]): number | undefined {
  const of = readProbabilities(guesses, row);
  const { labels, several } = guesses;
  if (given.some((label) => !labels.includes(label))) return undefined;
  if (!several) return of[labels.indexOf(given[0]!)];
  return smallest(labels.map((label, i) => (given.includes(label) ? of[i]! : 1 - of[i]!)));
}

function readProbabilities({ labels, probabilities }: Guesses, row: number): Float64Array {
  return probabilities.subarray(row * labels.length, (row + 1) * labels.length);
}

/**
 * How much more likely a row's first label is than its second; if it may have several, how much more likely the least sure
 * label is than its absence, or less.
 */
export function margin(guesses: Guesses, row: number): number {
  const { labels, several, probabilities } = guesses;
  let [first, second, least] = [0, 0, 1];
  for (let k = row * labels.length; k < (row + 1) * labels.length; k++) {
    const probability = probabilities[k]!;
    least = Math.min(least, Math.abs(2 * probability - 1));
    if (probability > first) [first, second] = [probability, first];
    else if (probability > second) second = probability;
  }
  return several ? least : first - second;
}

function softmax(scores: Float64Array, outputs: number): Float64Array {
  for (let start = 0; start < scores.length; start += outputs) {
    const of = scores.subarray(start, start + outputs);
    const most = largest(of);
    of.set(of.map((score) => Math.exp(score - most)));
    const total = addUp(of);
    of.set(of.map((value) => value / total));
  }
  return scores;
}

/** Centers vectors and gives them one length, so that the penalty of a fit, which is 1, has the strength {@link STRENGTH}. */
function scaleVectors(vectors: readonly Float32Array[]): Float64Array[] {
  const mean = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (const [i, x] of vector.entries()) mean[i]! += x / vectors.length;
  return vectors.map((vector) => {
    const centered = Float64Array.from(vector, (x, i) => x - mean[i]!);
    const length = Math.sqrt(addUp(centered, (x) => x * x)) || 1;
    return centered.map((x) => (x * Math.sqrt(STRENGTH)) / length);
  });
}

function denseRows(vectors: readonly Float64Array[]): SparseRows {
  const width = vectors[0]?.length ?? 0;
  const values = new Float64Array(vectors.length * width);
  for (const [i, vector] of vectors.entries()) values.set(vector, i * width);
  return {
    starts: Int32Array.from({ length: vectors.length + 1 }, (_, i) => i * width),
    columns: Int32Array.from({ length: values.length }, (_, i) => i % width),
    values,
  };
}
