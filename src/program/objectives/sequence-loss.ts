import { constant, equal, expand, input, matmul, reshape, where } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import {
  binaryCrossEntropy,
  contrastiveLoss,
  crossEntropy,
  squaredErrorLoss,
} from '../../models/nn/losses.ts';
import { IGNORED_LABEL, labeledRows } from './labeled-rows.ts';
import { sequenceMajor } from './model-inputs.ts';
import { ownLoss } from './own-loss.ts';
import { type LossOptions, type TaskModel, taskModel } from './task-model.ts';

/**
 * A model with one row of logits per text: [batch, labels].
 *
 * @param loss builds the mean loss of a batch from the logits, and declares the input for its targets
 */
export function sequenceModel(
  definition: ModelDefinition,
  config: CommonConfig,
  loss: (logits: Value, options?: LossOptions) => Value,
): TaskModel {
  return taskModel(definition, config, 'SEQ_CLS', (logits, _, options) => loss(logits(), options));
}

/**
 * Shifts labels right by one, after the start token: the decoder's input in training.
 *
 * @param labels [batch, length], {@link IGNORED_LABEL} for padding
 */
export function shiftRight(
  labels: Int32Array,
  length: number,
  { padTokenId, decoderStartTokenId }: { padTokenId: number; decoderStartTokenId: number },
): Int32Array {
  return labels.map((_, i) => {
    if (i % length === 0) return decoderStartTokenId;
    return labels[i - 1] === IGNORED_LABEL ? padTokenId : labels[i - 1]!;
  });
}

/**
 * The decoder's input and the labels of a batch of texts to write, and the number of their tokens.
 *
 * @param targets the tokens of each text
 */
export function targetFeeds(
  targets: readonly Int32Array[],
  start: { padTokenId: number; decoderStartTokenId: number },
): { feeds: Tensors; weight: number } {
  const length = targets.reduce((most, ids) => Math.max(most, ids.length), 0);
  const labels = new Int32Array(targets.length * length).fill(IGNORED_LABEL);
  for (const [row, ids] of targets.entries()) labels.set(ids, row * length);
  const inputIds = shiftRight(labels, length, start);
  const rows = labeledRows(labels, targets.length, length, false);
  return {
    feeds: { decoder_input_ids: sequenceMajor(inputIds, targets.length, length), ...rows },
    weight: rows.labels!.data.length,
  };
}

/** Name of the input for targets. */
export const LABELS = 'labels';

/** Cross-entropy of one class per text, from logits [batch, classes]. Declares the input `labels`, int32 [batch]. */
export function classLoss(
  logits: Value,
  { labelSmoothing, classWeights, customLoss }: LossOptions = {},
): Value {
  const [batch] = logits.shape;
  const labels = input(logits.node.graph, LABELS, 'int32', [batch!]);
  if (customLoss) return ownLoss(customLoss, logits, labels);
  return crossEntropy(logits, labels, labelSmoothing, classWeights);
}

/** Squared error of a score, from logits [batch, 1]. Declares the input `labels`, float32 [batch]. */
export function scoreLoss(logits: Value, { customLoss }: LossOptions = {}): Value {
  const [batch] = logits.shape;
  const scores = input(logits.node.graph, LABELS, 'float32', [batch!]);
  return customLoss
    ? ownLoss(customLoss, logits, scores)
    : squaredErrorLoss(reshape(logits, [batch!]), scores);
}

/** Binary cross-entropy of independent labels. Declares the input `labels`, float32 [batch, classes]. */
export function labelSetLoss(logits: Value, { customLoss }: LossOptions = {}): Value {
  const [batch, classes] = logits.shape;
  const labels = input(logits.node.graph, LABELS, 'float32', [batch!, classes!]);
  return customLoss ? ownLoss(customLoss, logits, labels) : binaryCrossEntropy(logits, labels);
}

/** For files of some hundred rows, 0.1 was better than 0.05 and 0.3. */
const TEMPERATURE = 0.1;

/** Contrastive loss of texts with one class each. Declares the input `labels`, int32 [texts]. */
export function classContrast(vectors: Value): Value {
  const [texts] = vectors.shape;
  const { graph } = vectors.node;
  const labels = input(graph, LABELS, 'int32', [texts!]);
  const isSame = equal(reshape(labels, [texts!, 1]), reshape(labels, [1, texts!]));
  return contrastiveLoss(
    vectors,
    where(isSame, expand(constant(graph, [1], []), isSame.shape), 0),
    TEMPERATURE,
  );
}

/** Contrastive loss of texts with sets of labels. Declares the input `labels`, float32 [texts, classes]. */
export function labelSetContrast(vectors: Value, classes: number): Value {
  const labels = input(vectors.node.graph, LABELS, 'float32', [vectors.shape[0]!, classes]);
  return contrastiveLoss(vectors, matmul(labels, labels, { transposeB: true }), TEMPERATURE);
}

/** The weight of each example of a batch, by its class. */
export function exampleWeights({ [LABELS]: labels }: Tensors, classWeights: readonly number[]): number[] {
  return Array.from(labels!.data, (label) => classWeights[Number(label)]!);
}

/** Returns the targets of some examples as the input `labels`. `targets` holds those of the dataset, row-major. */
export function labelFeed(
  targets: Int32Array | Float32Array,
  examples: Int32Array,
  rowsInAll: number,
): Record<typeof LABELS, HostTensor> {
  const width = targets.length / rowsInAll;
  const data = new (targets.constructor as typeof Float32Array)(examples.length * width) as typeof targets;
  examples.forEach((example, row) => {
    data.set(targets.subarray(example * width, (example + 1) * width), row * width);
  });
  const isVector = targets instanceof Int32Array || width === 1;
  return { [LABELS]: { data, dims: isVector ? [examples.length] : [examples.length, width] } };
}
