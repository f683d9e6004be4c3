import type { Value } from '../../engine/graph/graph.ts';
import { type Row, RowProblems } from '../../input/data/rows.ts';
import { haveDecimalCommas, isNumber } from '../../input/data/table-layout.ts';
import type { LossOptions } from '../../program/objectives/task-model.ts';
import type { LinearLoss } from '../../scores/baselines/linear-model.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import { suggest } from '../../support/text.ts';
import { asList, shortest, withIds } from '../classes/labels.ts';
import type { LabelScore } from '../prediction.ts';
import type { TaskGuess, UnknownTrained } from '../task-definition.ts';

/** How to predict labels without a language model. */
export interface LabelBaselines {
  /** The loss for fitting a linear model of the words. */
  linearLoss: LinearLoss;
  /** The linear model's name in a sentence. */
  linearName: string;
  /**
   * Finds the best answer for the training rows if the text is ignored.
   *
   * @returns its logits [outputs], and its name in a sentence
   */
  blind(targets: Targets, labels: readonly string[]): { name: string; logits: readonly number[] };
}

/** The parts that depend on the form of labels in a task on texts: one class, a set of labels, or a number. */
export interface LabelKind<Answer extends LabelAnswer> {
  /** transformers' `problem_type`, which is the task's name. */
  problemType: string;
  /** Minimum number of different labels in the training rows. It is 0 for labels that are numbers. */
  leastLabels: number;
  /** Whether the label of a row is a list. */
  listed: boolean;
  targets: ToTargets;
  metrics: readonly ScoreName[];
  baselines: LabelBaselines;
  /** Builds the mean loss of a batch from its logits [batch, outputs]. Declares the input `labels`. */
  loss(logits: Value, options?: LossOptions): Value;
  /**
   * Builds the loss with which vectors of single texts are trained, [texts, features]. Declares the input `labels`.
   * Missing for labels that texts rarely share.
   */
  contrast?(vectors: Value, outputs: number): Value;
  /** Whether the loss is a cross-entropy, so that labels can be smoothed. */
  smoothsLabels?: boolean;
  /** Whether class weights are supported. */
  weighsClasses?: boolean;
  /** Computes the same loss over a whole set, [rows, outputs] row-major, in float64. */
  evaluationLoss(logits: Float32Array, outputs: number, targets: Targets): number;
  scores(logits: Float32Array, outputs: number, targets: Targets): Partial<Record<ScoreName, number>>;
  /** How each score is averaged over the classes, or the class that it is of: `macro`, `of "spam"`. */
  averages?(labels: readonly string[]): Readonly<Record<string, string>>;
  /** The confusion matrix, if a label is one class: how often each class was predicted as each class. */
  confusion?(logits: Float32Array, outputs: number, targets: Targets): number[][];
  /** The reference of a row, for custom metrics. */
  reference(label: Row['label']): unknown;
  /** Turns the logits of one text into an answer. */
  answer(logits: Float32Array, labels: readonly string[]): Answer;
  json(answer: Answer, details: boolean, labels: readonly string[]): object;
  describe(answer: Answer, labels: readonly string[]): string;
  /** Formats an answer for GLUE's evaluation server. */
  submitted(answer: Answer): string;
  /** Whether to use this task for a model that adalora did not train and that has this many outputs. */
  recognizes(model: UnknownTrained, outputs: number): boolean;
  /** How its labels are recognized in a file. Missing for labels that a file never suggests. */
  guess?: Pick<TaskGuess, 'labels' | 'fits' | 'learns'>;
  name: string;
  trainedFor(texts: string): string;
}

/** An answer's logits. It has probabilities only if labels are classes. */
export interface LabelAnswer {
  logits: readonly number[];
  probabilities?: Readonly<Record<string, number>>;
}

/**
 * The labels of an answer with their scores, the best first.
 *
 * @param raw whether scores are logits even if there are probabilities
 */
export function labelScores(
  { logits, probabilities }: LabelAnswer,
  labels: readonly string[],
  raw: boolean,
): LabelScore[] {
  return Array.from(logits, (logit, id) => ({
    label: labels[id] ?? `LABEL_${id}`,
    score: shortest((raw ? undefined : probabilities?.[labels[id]!]) ?? logit),
  })).sort((a, b) => b.score - a.score);
}

/** An answer as JSON. With `details`, it has the logits. */
export function labelJson({ logits, ...answer }: LabelAnswer, details: boolean): object {
  return { ...answer, ...(details && { logits: Array.from(logits, shortest) }) };
}

/** Targets of labeled rows, row-major. */
export type Targets = Int32Array | Float32Array;

/** The targets of each row. */
export function targetRows(targets: Targets, count: number): Targets[] {
  const width = targets.length / count;
  return Array.from({ length: count }, (_, row) => targets.subarray(row * width, (row + 1) * width));
}

/**
 * Converts labels of rows to targets.
 *
 * @throws UserError with file and line for invalid labels
 */
type ToTargets = (rows: readonly Row[], labels: readonly string[], fileName: string) => Targets;

/** Class ids, int32 [rows]. */
export const classTargets: ToTargets = (rows, labels, fileName) =>
  withLabelIds(labels, fileName, (id) => Int32Array.from(rows, ({ label, line }) => id(String(label), line)));

/** 1 for each class that applies and 0 for the others, float32 [rows, classes]. */
export const labelSetTargets: ToTargets = (rows, labels, fileName) =>
  withLabelIds(labels, fileName, (id) => {
    const targets = new Float32Array(rows.length * labels.length);
    rows.forEach(({ label, line }, row) => {
      for (const name of asList(label)) targets[row * labels.length + id(name, line)] = 1;
    });
    return targets;
  });

/** Scores, float32 [rows]. */
export const scoreTargets: ToTargets = (rows, _, fileName) => {
  const problems = new RowProblems(fileName);
  const hasCommas = haveDecimalCommas(rows.map(({ label }) => String(label)));
  const targets = Float32Array.from(rows, ({ label, line }) => {
    const number = hasCommas ? String(label).replace(',', '.') : String(label);
    if (isNumber(number)) return Number(number);
    problems.add(line, { kind: 'number', fault: `has the label "${label}", which is not a finite number` });
    return 0;
  });
  problems.throwIfAny();
  return targets;
};

function withLabelIds<T>(
  labels: readonly string[],
  fileName: string,
  make: (id: (name: string, line: number) => number) => T,
): T {
  const problem = (name: string) => ({
    kind: 'unseen label',
    fault: `has the label "${name}", which was not seen in training`,
  });
  return withIds(labels, fileName, problem, (name) => suggest(name, labels), make);
}
