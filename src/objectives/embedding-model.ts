import { add, gather, input, multiply, slice } from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import {
  batchTriplets,
  cosentLoss,
  cosineLoss,
  type Distance,
  rankingLoss,
  tripletLoss,
} from '../nn/pair-losses.ts';
import { normalised } from '../nn/pool-tokens.ts';
import type { HostTensor, Tensors } from '../runtime/session.ts';
import { type JointLoss, type TaskModel, taskModel } from './task-model.ts';

/** A loss over text vectors, by its name in sentence-transformers, with its settings. */
export type EmbeddingLoss =
  | { kind: 'multiple_negatives_ranking'; columns: number; scale: number; symmetric: boolean }
  | { kind: 'cosent'; columns: 2; scale: number }
  | { kind: 'cosine'; columns: 2 }
  | { kind: 'triplet'; columns: 3; margin: number; distance: Distance }
  | { kind: 'batch_triplets'; columns: 1; margin: number };

/** Widths at which the loss is computed, and their weights in the sum. */
export interface Matryoshka {
  dims: readonly number[];
  weights: readonly number[];
}

/** The number of examples; each has a text in every column. */
const EXAMPLES = symbol('examples');
/** The input with the index of each text of a column among all texts, int32 [examples]. */
export const columnInput = (column: number): string => `column_${column}`;
/** The target of a pair, float32 [examples], or the class of a text, int32 [examples]. */
export const TARGETS = 'targets';

/**
 * A model that maps a text to one vector. Its outputs are [texts, features]. Inputs state which texts belong
 * together, so that a repeated text is computed once.
 *
 * @throws UserError if the family has no such head
 */
export function embeddingModel(loss: EmbeddingLoss, matryoshka?: Matryoshka) {
  const joint: JointLoss = {
    inputs: [
      ...Array.from({ length: loss.columns }, (_, column) => columnInput(column)),
      ...(targetsOf(loss) ? [TARGETS] : []),
    ],
    build: (outputs) => jointLoss(outputs, loss, matryoshka),
    join: (batches, texts) => join(joint.inputs, batches, texts),
  };
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => ({
    ...taskModel(definition, config, 'FEATURE_EXTRACTION', (vectors) => joint.build(vectors())),
    joint,
  });
}

/** The type of a loss's targets; undefined if it has none. */
function targetsOf({ kind }: EmbeddingLoss): 'int32' | 'float32' | undefined {
  if (kind === 'batch_triplets') return 'int32';
  return kind === 'cosent' || kind === 'cosine' ? 'float32' : undefined;
}

function jointLoss(outputs: Value, loss: EmbeddingLoss, matryoshka: Matryoshka | undefined): Value {
  const { graph } = outputs.node;
  const rows = Array.from({ length: loss.columns }, (_, column) =>
    input(graph, columnInput(column), 'int32', [EXAMPLES]),
  );
  const dtype = targetsOf(loss);
  const targets = dtype && input(graph, TARGETS, dtype, [EXAMPLES]);
  const columns = rows.map((row) => gather(outputs, row));
  if (!matryoshka) return lossOf(columns, targets, loss);
  const { dims, weights } = matryoshka;
  return dims
    .map((width, i) => {
      const cut = columns.map((vectors) => normalised(slice(vectors, 1, 0, width)));
      return multiply(lossOf(cut, targets, loss), weights[i]);
    })
    .reduce((sum, part) => add(sum, part));
}

function lossOf(columns: readonly Value[], targets: Value | undefined, loss: EmbeddingLoss): Value {
  const [first, second, third] = columns;
  switch (loss.kind) {
    case 'multiple_negatives_ranking':
      return rankingLoss(first, columns.slice(1), loss);
    case 'cosent':
      return cosentLoss(first, second, targets as Value, loss.scale);
    case 'cosine':
      return cosineLoss(first, second, targets as Value);
    case 'triplet':
      return tripletLoss(first, second, third, loss);
    case 'batch_triplets':
      return batchTriplets(first, targets as Value, loss.margin);
  }
}

/** The inputs of the loss for consecutive batches: each batch's text indices are offset by the texts before it. */
function join(names: readonly string[], batches: readonly Tensors[], texts: readonly number[]): Tensors {
  const joined = names.map((name): [string, HostTensor] => {
    let before = 0;
    const data = batches.flatMap((batch, i) => {
      const shifted = Array.from(batch[name].data as Int32Array, (x) => (name === TARGETS ? x : x + before));
      before += texts[i];
      return shifted;
    });
    const Numbers = batches[0][name].data.constructor as Int32ArrayConstructor;
    return [name, { data: Numbers.from(data), dims: [data.length] }];
  });
  return Object.fromEntries(joined);
}
