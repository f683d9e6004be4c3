import {
  absolute,
  add,
  constant,
  divide,
  expand,
  gather,
  greater,
  input,
  iota,
  log,
  multiply,
  reshape,
  sigmoid,
  slice,
  stopGradient,
  subtract,
  sum,
  where,
} from '../../engine/graph/build.ts';
import { multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Tensors } from '../../engine/runtime/session.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { binaryEntropies, crossEntropy, NEVER } from '../../models/nn/losses.ts';
import { discountedGain } from '../../scores/metrics/retrieval-scores.ts';
import { columnInput, EXAMPLES, joinColumns, TARGETS } from './embedding-model.ts';
import { type LossFunction, ownLoss } from './own-loss.ts';
import { type JointLoss, type TaskModel, taskModel } from './task-model.ts';

/** Losses over the scores of queries' texts, computed as in sentence-transformers. */
export const RANKING_LOSSES = [
  'binary_cross_entropy',
  'multiple_negatives_ranking',
  'margin_mse',
  'lambda',
] as const;

export interface RankingLoss {
  kind: (typeof RANKING_LOSSES)[number];
  /** Factor of probabilities in `multiple_negatives_ranking`. */
  scale: number;
}

/** The number of texts of a query, with padding. */
const CANDIDATES = symbol('candidates');
/** Name of the input with the gain of each text for `lambda`, 1 for other losses and {@link ABSENT} for padding. */
const GAINS = 'gains';
const ABSENT = -1;
/** The weight of NDCG-Loss2 beside LambdaRank in NDCG-Loss2++ (Wang et al., 2018). */
const MU = 10;

/** The texts of a query that are scored in a batch. */
interface RankedGroup {
  /** The place of each text among all texts of the batch. */
  places: readonly number[];
  targets: readonly number[];
}

/**
 * The inputs of a loss for groups, padded to `width` texts.
 *
 * @param kind the loss, on which gains depend
 */
export function groupFeeds(
  groups: readonly RankedGroup[],
  width: number,
  kind: RankingLoss['kind'],
): Tensors {
  const padded = (of: (group: RankedGroup) => readonly number[], padding: number) =>
    groups.flatMap((group) => Array.from({ length: width }, (_, i) => of(group)[i] ?? padding));
  const dims = [groups.length, width];
  const gains = ({ targets }: RankedGroup) => (kind === 'lambda' ? listGains(targets) : targets.map(() => 1));
  const places = Int32Array.from(padded((group) => group.places, groups[0]!.places[0]!));
  return {
    [columnInput(0)]: { data: places, dims: [places.length] },
    [TARGETS]: { data: Float32Array.from(padded(({ targets }) => targets, 0)), dims },
    [GAINS]: { data: Float32Array.from(padded(gains, ABSENT)), dims },
  };
}

/** The gains of texts, divided by the largest possible discounted sum. */
function listGains(grades: readonly number[]): number[] {
  const gains = grades.map((grade) => 2 ** Math.max(0, grade) - 1);
  const most = discountedGain(
    [...gains].sort((a, b) => b - a),
    Number.POSITIVE_INFINITY,
  );
  return gains.map((gain) => gain / Math.max(most, 1e-10));
}

/**
 * A cross-encoder: its only output is the score of a query and a text. The loss compares the texts of a query, so it is
 * computed from all outputs of a step.
 *
 * @throws UserError if the family has no such head
 */
export function rerankingModel(loss: RankingLoss) {
  const inputs = [columnInput(0), TARGETS, GAINS];
  const joint: JointLoss = {
    inputs,
    build: (outputs, customLoss) => groupLoss(outputs, loss, customLoss),
    join: (batches, texts) => joinColumns(inputs.slice(0, 1), inputs.slice(1), batches, texts),
  };
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => ({
    ...taskModel(definition, { ...config, numLabels: 1 }, 'SEQ_CLS', (logits, _, options) =>
      joint.build(logits(), options?.customLoss),
    ),
    joint,
  });
}

function groupLoss(outputs: Value, { kind, scale }: RankingLoss, customLoss?: LossFunction): Value {
  const { graph } = outputs.node;
  const places = input(graph, columnInput(0), 'int32', [multiplyDimensions(EXAMPLES, CANDIDATES)]);
  const targets = input(graph, TARGETS, 'float32', [EXAMPLES, CANDIDATES]);
  const gains = input(graph, GAINS, 'float32', [EXAMPLES, CANDIDATES]);
  const scores = reshape(gather(outputs, places), [EXAMPLES, CANDIDATES]);
  const isText = greater(gains, ABSENT / 2);
  if (customLoss) return ownLoss(customLoss, scores, targets);
  switch (kind) {
    case 'binary_cross_entropy':
      return meanWhere(isText, binaryEntropies(scores, targets));
    case 'multiple_negatives_ranking': {
      const first = expand(constant(graph, [0], [], 'int32'), [EXAMPLES]);
      return crossEntropy(where(isText, multiply(sigmoid(scores), scale), NEVER), first);
    }
    case 'margin_mse': {
      const marginOf = (x: Value) => subtract(slice(x, 1, 0, 1), x);
      const error = subtract(marginOf(scores), marginOf(targets));
      const number = reshape(iota(graph, CANDIDATES), [1, CANDIDATES]);
      const isOther = greater(expand(number, scores.shape), constant(graph, [0], [], 'int32'));
      return meanWhere(isOther, where(isText, multiply(error, error), 0), count(isText, isOther));
    }
    case 'lambda':
      return lambdaLoss(scores, targets, gains, isText);
  }
}

/** The sum of elements where conditions hold, divided by the number of such elements or by 1. */
function meanWhere(condition: Value, x: Value, number = count(condition)): Value {
  const axes = x.shape.map((_, axis) => axis);
  const total = sum(where(condition, x, 0), axes);
  return divide(total, where(greater(number, 1), number, 1));
}

function count(...conditions: readonly Value[]): Value {
  const { shape, node } = conditions[0]!;
  const ones = expand(constant(node.graph, [1], []), shape);
  const held = conditions.reduce((one, condition) => where(condition, one, 0), ones);
  return sum(held, [...shape.keys()]);
}

/**
 * LambdaLoss with the weights of NDCG-Loss2++ (Wang et al., CIKM 2018): of two texts of a query, the one with the larger
 * grade should have the larger score. A pair weighs as much as nDCG depends on it.
 */
function lambdaLoss(scores: Value, targets: Value, gains: Value, isText: Value): Value {
  const { graph } = scores.node;
  const square = [EXAMPLES, CANDIDATES, CANDIDATES];
  const row = (x: Value) => expand(reshape(x, [EXAMPLES, CANDIDATES, 1]), square);
  const column = (x: Value) => expand(reshape(x, [EXAMPLES, 1, CANDIDATES]), square);
  const ones = expand(constant(graph, [1], []), square);
  const present = where(isText, expand(constant(graph, [1], []), [EXAMPLES, CANDIDATES]), 0);
  const numbers = iota(graph, CANDIDATES);
  const isEarlier = greater(
    expand(reshape(numbers, [1, CANDIDATES, 1]), square),
    expand(reshape(numbers, [1, 1, CANDIDATES]), square),
  );
  const fixed = stopGradient(scores);
  const tied = where(greater(row(fixed), column(fixed)), 0, where(isEarlier, ones, 0));
  const isAbove = where(greater(column(fixed), row(fixed)), ones, tied);
  // Counted from 0. Texts with equal scores are ranked in their order.
  const ranks = sum(multiply(isAbove, column(present)), [2]);
  const discount = (after: Value) => divide(Math.LN2, log(after));
  const apart = absolute(subtract(row(ranks), column(ranks)));
  const steps = where(greater(apart, 0.5), apart, 1);
  const discounts = discount(add(ranks, 2));
  const ofSteps = subtract(discount(add(steps, 1)), discount(add(steps, 2)));
  const ofRanks = absolute(subtract(row(discounts), column(discounts)));
  const weights = multiply(
    add(multiply(ofSteps, MU), ofRanks),
    absolute(subtract(row(gains), column(gains))),
  );
  const both = multiply(row(present), column(present));
  const isOrdered = greater(multiply(subtract(row(targets), column(targets)), both), 0);
  const losses = multiply(weights, binaryEntropies(subtract(row(scores), column(scores)), 1));
  return meanWhere(isOrdered, multiply(losses, 1 / Math.LN2));
}
