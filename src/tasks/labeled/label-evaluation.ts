import type { Row } from '../../input/data/rows.ts';
import { groupEqualTexts } from '../../input/data/split-rows.ts';
import {
  type Certainty,
  type EvaluatedRows,
  type Evaluation,
  MAX_MISTAKES,
  type Mistake,
  type Scores,
} from '../../program/example-set.ts';
import type { LinearLayer } from '../../program/objectives/sentence-classifier.ts';
import { bootstrap, shareInterval, someGroups } from '../../scores/metrics/score-interval.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import type { EncodingContext, FitLayer } from '../prediction.ts';
import { classifiesVectors, type LabeledData } from './data-section.ts';
import { type LabelAnswer, type LabelKind, labelScores, type Targets, targetRows } from './label-kind.ts';
import { readLabeledRows } from './read-rows.ts';

export interface LabeledRows {
  rows: Row[];
  /** Rows without labels, which a teacher labels. */
  unlabelled?: Row[];
  fileName: string;
  /** Notices about skipped rows, near-equal files or a guessed encoding. */
  skipped: readonly string[];
  /** The classes in order, if the file lists them. */
  names?: readonly string[] | undefined;
}

/** Decides whether rows are independent: by their texts, or groups of near-equal files. */
export const evaluatedTexts = ({ text, textPair, alike }: Row) =>
  alike === undefined ? [text, textPair] : [alike];

/** Scores a model on labeled texts or pairs. */
export function labelEvaluation<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  labeled: LabeledRows,
  context: EncodingContext<LabeledData>,
  outputs: number,
  batchSize: number,
): Evaluation {
  const { labels } = context;
  const targets = kind.targets(labeled.rows, labels, labeled.fileName);
  const examples = readLabeledRows(labeled.rows, context, batchSize, targets);
  const count = labeled.rows.length;
  const all = Int32Array.from({ length: count }, (_, row) => row);
  const groups = groupEqualTexts(labeled.rows.map(evaluatedTexts));
  const scoresOf = (logits: readonly Float32Array[], rows: Int32Array) => {
    const [taken, wanted] = [joinLogits(logits, rows, outputs), takenTargets(targets, count, rows)];
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
    sizeOf: () => outputs,
    targets: {
      loss: kind.baselines.linearLoss,
      outputs,
      rows: targetRows(targets, count),
    },
    features: examples.features,
    outputs: examples.logits,
    scores(logits, rows) {
      const scores = Object.entries(scoresOf(logits, rows));
      return Object.fromEntries(scores.map(([name, score]) => [`eval_${name}`, score]));
    },
    tell(logits, some, watch) {
      watch.onCertainty?.(certaintyOf(logits, some));
      const flat = joinLogits(logits, some, outputs);
      const counts = watch.onConfusion && kind.confusion?.(flat, outputs, takenTargets(targets, count, some));
      if (counts) watch.onConfusion?.({ labels, counts });
      if (kind.confusion) watch.onMistakes?.(() => findMistakes(kind, labeled, labels, logits, some));
      watch.onAnswers?.(
        Array.from(some, (row) => kind.answer(logits[row]!, labels)),
        Array.from(some, (row) => kind.reference(labeled.rows[row]!.label)),
      );
    },
  };
  return {
    examples: examples.examples,
    output: 'logits',
    rows,
    async run(program, values, watch): Promise<Scores> {
      const layer = await readLayer(context, { program, values });
      const logits = await examples.logits({ program, values, layer }, all);
      if (watch) rows.tell(logits, all, watch);
      return rows.scores(logits, all);
    },
  };
}

/** Maximum number of characters of a text or a label in a recorded error. */
const MAX_SHOWN = 200;

function findMistakes<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  { rows }: LabeledRows,
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
      const { text, textPair, content } = rows[row]!;
      return {
        text: truncateText(text),
        ...(textPair !== undefined && { text_pair: truncateText(textPair) }),
        ...(content && { preview: content.preview() }),
        label: truncateText(label),
        predicted: truncateText(predicted),
        probability,
      };
    });
}

/** Truncates a text between two characters, which may be two code units each. */
function truncateText(text: string): string {
  const characters = [...text.slice(0, 2 * (MAX_SHOWN + 1))];
  return characters.length > MAX_SHOWN ? `${characters.slice(0, MAX_SHOWN - 1).join('')}…` : text;
}

/** The linear layer of a model of sentence vectors. Undefined for a classification head. */
async function readLayer(
  { reading, layer }: EncodingContext<LabeledData>,
  model: Parameters<FitLayer>[0],
): Promise<LinearLayer | undefined> {
  if (!classifiesVectors(reading)) return undefined;
  return typeof layer === 'function' ? layer(model) : layer;
}

/** The logits of some rows, [rows, outputs]. */
function joinLogits(logits: readonly Float32Array[], rows: Int32Array, outputs: number): Float32Array {
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
