import type { Value } from '../../engine/graph/graph.ts';
import type { Row } from '../../input/data/rows.ts';
import { groupEqualTexts } from '../../input/data/split-rows.ts';
import { thumbnail } from '../../input/pictures/thumbnail.ts';
import {
  type Certainty,
  type EvaluatedRows,
  type Evaluation,
  type ExampleSet,
  MAX_MISTAKES,
  type Mistake,
  type RowModel,
  type Scores,
  someExamples,
} from '../../program/example-set.ts';
import { type LinearLayer, layerOutputs } from '../../program/objectives/sentence-classifier.ts';
import type { LossOptions } from '../../program/objectives/task-model.ts';
import { predictAll } from '../../program/predict-batches.ts';
import type { Predictor } from '../../program/program.ts';
import { bootstrap, shareInterval, someGroups } from '../../scores/metrics/score-interval.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import { shortest } from '../classes/labels.ts';
import type { EncodingContext, FitLayer } from '../prediction.ts';
import type { LabelScore } from '../served-answer.ts';
import type { TaskGuess, UnknownTrained } from '../task-definition.ts';
import { classifiesVectors, type LabelledData } from './data-section.ts';
import { encodedSet, type RowInput } from './encoded-set.ts';
import { SentenceRows } from './sentence-rows.ts';
import type { LabelBaselines } from './text-baselines.ts';
import { type Targets, type ToTargets, targetRows } from './to-targets.ts';

export interface LabelledRows {
  rows: Row[];
  fileName: string;
  /** A notice about skipped rows or a guessed encoding. */
  skipped?: string;
  /** The classes in order, if the file lists them. */
  names?: readonly string[];
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
  /** Turns the logits of one text into an answer, which keeps the array. */
  answer(logits: Float32Array, labels: readonly string[]): Answer;
  json(answer: Answer, details: boolean, labels: readonly string[]): object;
  describe(answer: Answer, labels: readonly string[]): string;
  /** Formats an answer for GLUE's evaluation server. */
  submitted(answer: Answer): string;
  /** Whether to use this task for a model that adalora did not train and that has this many outputs. */
  recognises(model: UnknownTrained, outputs: number): boolean;
  /** How its labels are recognized in a file. Missing for labels that a file never suggests. */
  guess?: Pick<TaskGuess, 'labels' | 'ofLabel' | 'learns'>;
  name: string;
  trainedFor(texts: string): string;
}

/** An answer's logits. It has probabilities only if labels are classes. */
export interface LabelAnswer {
  logits: Float32Array;
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

/** Texts or pairs in the form that the model reads: a classification head's, or a linear layer's on sentence vectors. */
export interface ReadRows {
  examples: ExampleSet;
  /** Computes the logits of some rows, for each of them [outputs]. */
  logits(
    model: Omit<RowModel, 'program'> & { program: Predictor },
    rows: Int32Array,
  ): Promise<Float32Array[]>;
  features(model: Omit<RowModel, 'layer'>, rows: Int32Array): Promise<Float32Array[]>;
}

/**
 * Encodes rows.
 *
 * @param outputs number of logits per row
 * @param targets see `toTargets`; without them, the batches are for prediction only
 */
export function readLabelledRows(
  rows: readonly RowInput[],
  context: EncodingContext<LabelledData>,
  outputs: number,
  batchSize: number,
  targets?: Targets,
): ReadRows {
  if (classifiesVectors(context.reading)) {
    const sentences = new SentenceRows(rows, context);
    return {
      examples: sentences.examples(targets),
      features({ program, values }, rows) {
        const predictor = { communicator: program.communicator, predict: program.vectors.bind(program) };
        return sentences.features(predictor, values, rows, batchSize);
      },
      async logits({ program, values, layer }, rows) {
        if (!layer) throw new Error('a model of sentence vectors without its linear layer');
        const features = await sentences.features(program, values, rows, batchSize);
        return features.map((row) => layerOutputs(layer, row));
      },
    };
  }
  const examples = encodedSet(rows, context, targets);
  return {
    examples,
    async logits({ program, values }, rows) {
      const all = await predictAll(program, values, someExamples(examples, rows), outputs, batchSize);
      return Array.from(rows, (_, i) => all.slice(i * outputs, (i + 1) * outputs));
    },
    features() {
      throw new Error('the features of a classification head are no sentence vectors');
    },
  };
}

/** Decides whether rows are independent: by their texts, or groups of near-equal pictures. */
export const evaluatedTexts = ({ text, textPair, alike }: Row) =>
  alike === undefined ? [text, textPair] : [alike];

/** Scores a model on labeled texts or pairs. */
export function labelEvaluation<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  labelled: LabelledRows,
  context: EncodingContext<LabelledData>,
  outputs: number,
  batchSize: number,
): Evaluation {
  const { labels } = context;
  const targets = kind.targets(labelled.rows, labels, labelled.fileName);
  const read = readLabelledRows(labelled.rows, context, outputs, batchSize, targets);
  const count = labelled.rows.length;
  const all = Int32Array.from({ length: count }, (_, row) => row);
  const groups = groupEqualTexts(labelled.rows.map(evaluatedTexts));
  const scoresOf = (logits: readonly Float32Array[], rows: Int32Array) => {
    const [taken, wanted] = [joined(logits, rows, outputs), takenTargets(targets, count, rows)];
    return { loss: kind.evaluationLoss(taken, outputs, wanted), ...kind.scores(taken, outputs, wanted) };
  };
  const certaintyOf = (logits: readonly Float32Array[], some: Int32Array): Certainty => {
    const ofSome = someGroups(groups, some);
    return {
      groups: ofSome,
      interval(score) {
        const ofRows = (rows: Int32Array) => scoresOf(logits, rows)[score as ScoreName] ?? Number.NaN;
        if (score !== 'accuracy')
          return bootstrap(ofSome, (drawn) => ofRows(Int32Array.from(drawn, (i) => some[i]!)));
        return shareInterval(
          Array.from(some, (row) => ofRows(Int32Array.of(row))),
          ofSome,
        );
      },
    };
  };
  const rows: EvaluatedRows = {
    groups,
    targets: {
      loss: kind.baselines.linearLoss,
      outputs,
      rows: targetRows(targets, count),
    },
    features: read.features,
    outputs: read.logits,
    scores(logits, rows) {
      const scores = Object.entries(scoresOf(logits, rows));
      return Object.fromEntries(scores.map(([name, score]) => [`eval_${name}`, score]));
    },
    tell(logits, some, watch) {
      watch.onCertainty?.(certaintyOf(logits, some));
      const flat = joined(logits, some, outputs);
      const counts = watch.onConfusion && kind.confusion?.(flat, outputs, takenTargets(targets, count, some));
      if (counts) watch.onConfusion?.({ labels, counts });
      if (kind.confusion) watch.onMistakes?.(() => findMistakes(kind, labelled, labels, logits, some));
      watch.onAnswers?.(
        Array.from(some, (row) => kind.answer(logits[row]!, labels)),
        Array.from(some, (row) => kind.reference(labelled.rows[row]!.label)),
      );
    },
  };
  return {
    examples: read.examples,
    output: 'logits',
    rows,
    async run(program, values, watch): Promise<Scores> {
      const layer = await readLayer(context, { program, values });
      const logits = await read.logits({ program, values, layer }, all);
      if (watch) rows.tell(logits, all, watch);
      return rows.scores(logits, all);
    },
  };
}

/** Maximum number of characters of a text or a label in a recorded error. */
const MAX_SHOWN = 200;

function findMistakes<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  { rows }: LabelledRows,
  labels: readonly string[],
  logits: readonly Float32Array[],
  some: Int32Array,
): Mistake[] {
  const mistakes = Array.from(some, (row) => {
    const [best] = labelScores(kind.answer(logits[row]!, labels), labels, false);
    return {
      row,
      label: `${kind.reference(rows[row]!.label)}`,
      predicted: best!.label,
      probability: best!.score,
    };
  }).filter(({ label, predicted }) => label !== predicted);
  return mistakes
    .sort((a, b) => b.probability - a.probability)
    .slice(0, MAX_MISTAKES)
    .map(({ row, label, predicted, probability }) => {
      const { text, textPair, picture } = rows[row]!;
      return {
        text: truncated(text),
        ...(textPair !== undefined && { text_pair: truncated(textPair) }),
        ...(picture && { picture: thumbnail(picture.pixels) }),
        label: truncated(label),
        predicted: truncated(predicted),
        probability,
      };
    });
}

/** Truncates a text between two characters, which may be two code units each. */
function truncated(text: string): string {
  const characters = [...text.slice(0, 2 * (MAX_SHOWN + 1))];
  return characters.length > MAX_SHOWN ? `${characters.slice(0, MAX_SHOWN - 1).join('')}…` : text;
}

/** The linear layer of a model of sentence vectors. Undefined for a classification head. */
async function readLayer(
  { reading, layer }: EncodingContext<LabelledData>,
  model: Parameters<FitLayer>[0],
): Promise<LinearLayer | undefined> {
  if (!classifiesVectors(reading)) return undefined;
  return typeof layer === 'function' ? layer(model) : layer;
}

/** The logits of some rows, [rows, outputs]. */
function joined(logits: readonly Float32Array[], rows: Int32Array, outputs: number): Float32Array {
  const taken = new Float32Array(rows.length * outputs);
  rows.forEach((row, i) => {
    taken.set(logits[row]!, i * outputs);
  });
  return taken;
}

/** The targets of some rows, row-major. */
function takenTargets(targets: Targets, count: number, rows: Int32Array): Targets {
  const width = targets.length / count;
  const taken = new (targets.constructor as typeof Float32Array)(rows.length * width) as Targets;
  rows.forEach((row, i) => {
    taken.set(targets.subarray(row * width, (row + 1) * width), i * width);
  });
  return taken;
}
