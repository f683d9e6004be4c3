import {
  add,
  constant,
  divide,
  expand,
  greater,
  input,
  log,
  logSumExp,
  multiply,
  slice,
  subtract,
  sum,
  where,
} from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Row } from '../../input/data/rows.ts';
import { average } from '../../models/nn/losses.ts';
import { LABELS } from '../../program/objectives/sequence-loss.ts';
import type { LossOptions } from '../../program/objectives/task-model.ts';
import { largest } from '../../support/numbers.ts';
import { type Problem, UserError } from '../../support/user-error.ts';
import type { TaskTeaching } from '../task-definition.ts';
import { classifiesVectors, type LabeledData } from './data-section.ts';
import type { LabeledRows } from './label-evaluation.ts';
import type { LabelAnswer, LabelKind, Targets } from './label-kind.ts';
import { toInputs } from './read-inputs.ts';

/** A row with a teacher's answer: its logits, or the logarithms of its probabilities. */
export type TaughtRow = Row & { taught?: Float32Array };

type Reading = Partial<LabeledData>;

const TEMPERATURE = 2;
const SHARE = 0.5;

/** Finds problems in the keys about a teacher. */
export function teachingProblems(data: LabeledData): Problem[] {
  const { teacher, unlabelled, teacher_share, temperature } = data;
  const others = Object.entries({ unlabelled, teacher_share, temperature });
  if (teacher === undefined)
    return others
      .filter(([, value]) => value !== undefined)
      .map(([key]) => ({ path: ['data', key], fault: 'requires data.teacher' }));
  if (!classifiesVectors(data)) return [];
  const hint = 'Remove data.pooling.';
  return [{ path: ['data', 'pooling'], expected: 'none with data.teacher', got: String(data.pooling), hint }];
}

/** How labeled rows are taught. */
export function labelTeaching<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  read: (files: Parameters<TaskTeaching['read']>[0], reading: Reading) => LabeledRows,
): TaskTeaching<LabeledData, LabeledRows> {
  return {
    sources: ({ teacher, unlabelled }: Reading) => ({ teacher, unlabelled }),
    read: (files, reading) => read(files, { ...reading, label: undefined }),
    inputs: ({ rows, unlabelled = [] }) => toInputs([...rows, ...unlabelled]),
    vector(answer, labels) {
      const { logits, probabilities } = answer as Answer;
      if (labels.length === 0) return Float32Array.from(logits);
      return Float32Array.from(labels, (label) => {
        const known = probabilities?.[label];
        if (known !== undefined) return kind.listed ? known : Math.log(Math.max(known, MIN_PROBABILITY));
        throw new UserError({
          key: 'data.teacher',
          fault: `does not know the label "${label}"`,
          hint: 'Name a model that was trained for the labels of data.train.',
        });
      });
    },
    withAnswers({ rows, unlabelled, ...file }, vectors) {
      const add = (some: readonly Row[], from: number): TaughtRow[] =>
        some.map((row, i) => ({ ...row, taught: vectors[from + i]! }));
      return {
        ...file,
        rows: add(rows, 0),
        ...(unlabelled && { unlabelled: add(unlabelled, rows.length) }),
      };
    },
    withUnlabelled: (rows, { rows: unlabelled }) => ({ ...rows, unlabelled }),
  };
}

/** A smaller probability counts as this one, because 0 has no logarithm. */
const MIN_PROBABILITY = 1e-9;

/** The loss of a model that is taught. For other targets than classes, a mean of both targets is the target. */
export function taughtLoss<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  { teacher, temperature = TEMPERATURE, teacher_share: share = SHARE }: Reading,
): LabelKind<Answer>['loss'] {
  if (teacher === undefined || !isOneClass(kind)) return kind.loss;
  return (logits: Value, options?: LossOptions) => softClassLoss(logits, { temperature, share }, options);
}

const isOneClass = <Answer extends LabelAnswer>({ leastLabels, listed }: LabelKind<Answer>) =>
  leastLabels > 0 && !listed;

/**
 * The targets of taught rows, then of those without labels.
 *
 * @param own the targets of the labels
 * @param width number of outputs of the model
 */
export function taughtTargets<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  own: Targets,
  rows: readonly TaughtRow[],
  width: number,
  { temperature = TEMPERATURE, teacher_share: share = SHARE }: Reading,
): Float32Array {
  if (!isOneClass(kind))
    return Float32Array.from({ length: rows.length * width }, (_, i) => {
      const taught = rows[Math.floor(i / width)]!.taught![i % width]!;
      return i < own.length ? (1 - share) * own[i]! + share * taught : taught;
    });
  const targets = new Float32Array(rows.length * 2 * width);
  rows.forEach(({ taught }, row) => {
    if (row < own.length) targets[row * 2 * width + own[row]!] = 1;
    // Without the largest, which changes no share, a small temperature would give infinite powers.
    const most = largest(taught!);
    const powers = taught!.map((logit) => Math.exp((logit - most) / temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    targets.set(
      powers.map((power) => power / sum),
      (2 * row + 1) * width,
    );
  });
  return targets;
}

/** The logits of a teacher for rows, [rows, width]. Undefined without a teacher. */
export function teacherLogits<Answer extends LabelAnswer>(
  { listed }: LabelKind<Answer>,
  rows: readonly TaughtRow[],
  width: number,
): Float32Array | undefined {
  if (!rows[0]?.taught) return undefined;
  return Float32Array.from({ length: rows.length * width }, (_, i) => {
    const value = rows[Math.floor(i / width)]!.taught![i % width]!;
    if (!listed) return value;
    // Answers are rounded, so a probability may be 0 or 1.
    const share = Math.min(1 - MIN_PROBABILITY, Math.max(MIN_PROBABILITY, value));
    return Math.log(share / (1 - share));
  });
}

/** How a teacher's probabilities are learned. */
interface Distillation {
  /** The teacher's and the student's logits are divided by it. */
  temperature: number;
  /** The teacher's share in the loss of labeled rows. Rows without a label have the teacher's part alone, whole. */
  share: number;
}

/**
 * The loss of Hinton et al. (2015), a mean over rows: (1 - a) times the cross-entropy of the label, plus a T² times the
 * Kullback-Leibler divergence of the student at temperature T from the teacher.
 *
 * Declares the input `labels`, float32 [batch, 2 · classes]: 1 for a row's own class, and the teacher's probabilities at the
 * temperature. A row without a label has no 1.
 */
function softClassLoss(
  logits: Value,
  { temperature, share }: Distillation,
  { labelSmoothing = 0 }: LossOptions = {},
): Value {
  const [batch] = logits.shape;
  const classes = logits.shape[1] as number;
  const { graph } = logits.node;
  const both = input(graph, LABELS, 'float32', [batch!, 2 * classes]);
  const own = slice(both, 1, 0, classes);
  const soft = slice(both, 1, classes, 2 * classes);
  const isLabeled = sum(own, [1], true);
  const smoothed = add(
    multiply(own, 1 - labelSmoothing),
    multiply(expand(isLabeled, own.shape), labelSmoothing / classes),
  );
  const entropy = subtract(
    multiply(isLabeled, logSumExp(logits)),
    sum(multiply(logits, smoothed), [1], true),
  );
  const cooled = divide(logits, temperature);
  // A probability of 0 adds nothing.
  const known = where(greater(soft, 0), soft, expand(constant(graph, [1], []), soft.shape));
  const divergence = add(
    sum(multiply(soft, subtract(log(known), cooled)), [1], true),
    multiply(logSumExp(cooled), sum(soft, [1], true)),
  );
  const shares = add(multiply(isLabeled, share - 1), 1);
  return average(add(multiply(entropy, 1 - share), multiply(multiply(divergence, shares), temperature ** 2)));
}
