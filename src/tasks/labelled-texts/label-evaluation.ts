import { groupsOf } from '../../data/split-rows.ts';
import { bootstrap, shareInterval } from '../../metrics/score-interval.ts';
import type { ScoreName } from '../../metrics/scores.ts';
import { layerOutputs } from '../../objectives/sentence-classifier.ts';
import {
  type Certainty,
  type EvaluatedRows,
  type Evaluation,
  type ExampleSet,
  type RowModel,
  type Scores,
  someExamples,
} from '../../program/example-set.ts';
import { predictAll } from '../../program/predict-all.ts';
import type { Predictor } from '../../program/program.ts';
import type { EncodingContext } from '../task-definition.ts';
import { classifiesVectors, type LabelledData } from './data-section.ts';
import { encodedSet, type Texts } from './encoded-set.ts';
import type { LabelAnswer } from './label-scores.ts';
import type { LabelKind, LabelledRows } from './labelled-texts.ts';
import { SentenceRows } from './sentence-rows.ts';
import { type Targets, targetRows } from './to-targets.ts';

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
export function readRows(
  rows: readonly Texts[],
  context: EncodingContext<LabelledData>,
  outputs: number,
  batchSize: number,
  targets?: Targets,
): ReadRows {
  const { reading, tokenizer, maxLength, classWeights, communicator } = context;
  if (classifiesVectors(reading)) {
    const sentences = new SentenceRows(rows, context);
    const features: ReadRows['features'] = (model, rows) => sentences.features(model, rows, batchSize);
    return {
      examples: sentences.examples(targets),
      features,
      async logits({ layer, ...model }, rows) {
        if (!layer) throw new Error('a model of sentence vectors without its linear layer');
        return (await features(model as RowModel, rows)).map((row) => layerOutputs(layer, row));
      },
    };
  }
  const examples = encodedSet(rows, tokenizer, maxLength, targets, { classWeights, communicator });
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

/** Scores a model on labelled texts or pairs. */
export function labelEvaluation<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  labelled: LabelledRows,
  context: EncodingContext<LabelledData>,
  outputs: number,
  batchSize: number,
): Evaluation {
  const { labels } = context;
  const targets = kind.targets(labelled.rows, labels, labelled.fileName);
  const read = readRows(labelled.rows, context, outputs, batchSize, targets);
  const count = labelled.rows.length;
  const all = Int32Array.from({ length: count }, (_, row) => row);
  const groups = groupsOf(labelled.rows.map(({ text, textPair }) => [text, textPair]));
  const scoresOf = (logits: readonly Float32Array[], rows: Int32Array) => {
    const [taken, wanted] = [joined(logits, rows, outputs), takenTargets(targets, count, rows)];
    return { loss: kind.evaluationLoss(taken, outputs, wanted), ...kind.scores(taken, outputs, wanted) };
  };
  const certaintyOf = (logits: readonly Float32Array[]): Certainty => ({
    groups,
    interval(score) {
      const ofRows = (rows: Int32Array) => scoresOf(logits, rows)[score as ScoreName] ?? Number.NaN;
      if (score !== 'accuracy') return bootstrap(groups, ofRows);
      return shareInterval(
        Array.from(all, (row) => ofRows(Int32Array.of(row))),
        groups,
      );
    },
  });
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
    tell(logits, watch) {
      watch.onCertainty?.(certaintyOf(logits));
      const flat = joined(logits, all, outputs);
      const counts = watch.onConfusion && kind.confusion?.(flat, outputs, targets);
      if (counts) watch.onConfusion?.({ labels, counts });
      watch.onAnswers?.(
        logits.map((row) => kind.answer(row, labels)),
        labelled.rows.map(({ label }) => kind.reference(label)),
      );
    },
  };
  return {
    examples: read.examples,
    output: 'logits',
    rows,
    async run(program, values, watch): Promise<Scores> {
      const logits = await read.logits({ program, values, layer: context.layer }, all);
      if (watch) rows.tell(logits, watch);
      return rows.scores(logits, all);
    },
  };
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
