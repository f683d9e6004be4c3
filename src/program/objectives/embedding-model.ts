import { add, concat, gather, input, iota, multiply, reshape, slice } from '../../engine/graph/build.ts';
import { divideDimension, multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import {
  batchTriplets,
  cosentLoss,
  cosineLoss,
  type Distance,
  rankingLoss,
  tripletLoss,
} from '../../models/nn/losses.ts';
import { toUnitLength } from '../../models/nn/pool-tokens.ts';
import { largest } from '../../support/numbers.ts';
import { type LossFunction, ownLoss } from './own-loss.ts';
import { type JointLoss, type TaskModel, taskModel } from './task-model.ts';

/** A loss over text vectors, with its settings. `kind` is its name in sentence-transformers. */
export type EmbeddingLoss =
  | {
      kind: 'multiple_negatives_ranking';
      /** With a third column, it has the negatives of all examples. */
      columns: 2 | 3;
      /** Number of negatives of each example, for a custom loss. */
      negatives: number;
      scale: number;
      symmetric: boolean;
    }
  | { kind: 'cosent'; columns: 2; scale: number }
  | { kind: 'cosine'; columns: 2 }
  | { kind: 'triplet'; columns: 3; margin: number; distance: Distance }
  | { kind: 'batch_triplets'; columns: 1; margin: number };

/** Vector widths at which the loss is computed, and their weights in the sum. */
interface Matryoshka {
  dims: readonly number[];
  weights: readonly number[];
}

/** The number of examples: of the texts in a column. */
export const EXAMPLES = symbol('examples');
/** Name of the input that holds, for each text of a column, its index among all texts: int32 [examples]. */
export const columnInput = (column: number): string => `column_${column}`;
/** The members of groups of equal size, by their place in the group. */
export function arrangeColumns(groups: readonly (readonly number[])[]): number[][] {
  return groups[0]!.map((_, place) => groups.map((group) => group[place]!));
}

/** The first and the second members of groups, and all others: the third ones, then the fourth ones and so on. */
export function arrangeOthers(groups: readonly (readonly number[])[]): number[][] {
  const places = Array.from({ length: largest(groups.map(({ length }) => length)) }, (_, place) => place);
  const others = places.slice(2).flatMap((place) => groups.flatMap((group) => group.slice(place, place + 1)));
  return [...arrangeColumns(groups.map((group) => group.slice(0, 2))), others];
}

/** The first two members of groups with each of the others. */
export function arrangeTriplets(groups: readonly (readonly number[])[]): number[][] {
  return arrangeColumns(
    groups.flatMap(([first, second, ...others]) => others.map((other) => [first!, second!, other])),
  );
}

/** Name of the input for targets: for pairs float32 [examples], for classes of texts int32 [examples]. */
export const TARGETS = 'targets';

/**
 * A model that maps a text to one vector. Its outputs are [texts, features]. Its inputs state which texts belong
 * together, so that a repeated text is computed once.
 *
 * @throws UserError if the family has no such head
 */
export function embeddingModel(loss: EmbeddingLoss, matryoshka?: Matryoshka) {
  const columns = Array.from({ length: loss.columns }, (_, column) => columnInput(column));
  const targets = chooseTargetType(loss) ? [TARGETS] : [];
  const joint: JointLoss = {
    inputs: [...columns, ...targets],
    build: (outputs, customLoss) => jointLoss(outputs, { loss, matryoshka, customLoss }),
    join: (batches, texts) => joinColumns(columns, targets, batches, texts),
  };
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => ({
    ...taskModel(definition, config, 'FEATURE_EXTRACTION', (vectors, _, options) =>
      joint.build(vectors(), options?.customLoss),
    ),
    joint,
  });
}

/** The type of a loss's targets; undefined for a loss without targets. */
function chooseTargetType({ kind }: EmbeddingLoss): 'int32' | 'float32' | undefined {
  if (kind === 'batch_triplets') return 'int32';
  return kind === 'cosent' || kind === 'cosine' ? 'float32' : undefined;
}

interface LossParts {
  loss: EmbeddingLoss;
  matryoshka: Matryoshka | undefined;
  customLoss: LossFunction | undefined;
}

function jointLoss(outputs: Value, { loss, matryoshka, customLoss }: LossParts): Value {
  const { graph } = outputs.node;
  const others =
    loss.kind !== 'multiple_negatives_ranking'
      ? EXAMPLES
      : customLoss
        ? multiplyDimensions(loss.negatives, EXAMPLES)
        : symbol('others');
  const rows = Array.from({ length: loss.columns }, (_, column) =>
    input(graph, columnInput(column), 'int32', [column === 2 ? others : EXAMPLES]),
  );
  const dtype = chooseTargetType(loss);
  const targets = dtype && input(graph, TARGETS, dtype, [EXAMPLES]);
  const columns = rows.map((row) => gather(outputs, row));
  const computed = (vectors: readonly Value[]) =>
    customLoss ? replacedLoss(vectors, targets, customLoss) : computeLoss(vectors, targets, loss);
  if (!matryoshka) return computed(columns);
  const { dims, weights } = matryoshka;
  return dims
    .map((width, i) => {
      const cut = columns.map((vectors) => toUnitLength(slice(vectors, 1, 0, width)));
      return multiply(computed(cut), weights[i]!);
    })
    .reduce((sum, part) => add(sum, part));
}

/**
 * A custom loss of vectors [columns, examples, features], for which every example has as many negatives. Without targets, its labels
 * are the numbers of the examples.
 */
function replacedLoss(
  columns: readonly Value[],
  targets: Value | undefined,
  customLoss: LossFunction,
): Value {
  const [examples, width] = columns[0]!.shape as [Value['shape'][number], Value['shape'][number]];
  const all = concat(columns, 0);
  const count = divideDimension(all.shape[0]!, 'examples')!;
  const stacked = reshape(all, [count, examples, width]);
  return ownLoss(customLoss, stacked, targets ?? iota(columns[0]!.node.graph, examples));
}

function computeLoss(columns: readonly Value[], targets: Value | undefined, loss: EmbeddingLoss): Value {
  const [first, second, third] = columns as [Value, Value, Value];
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

/**
 * Joins the loss inputs of consecutive batches.
 *
 * @param columns inputs with indices of texts, which are offset by the number of texts in earlier batches
 * @param targets inputs with a row for each example
 * @param texts number of texts of each batch
 */
export function joinColumns(
  columns: readonly string[],
  targets: readonly string[],
  batches: readonly Tensors[],
  texts: readonly number[],
): Tensors {
  const joined = [...columns, ...targets].map((name): [string, HostTensor] => {
    let before = 0;
    const data = batches.flatMap((batch, i) => {
      const shifted = Array.from(batch[name]!.data as Int32Array, (x) =>
        columns.includes(name) ? x + before : x,
      );
      before += texts[i]!;
      return shifted;
    });
    const { data: numbers, dims } = batches[0]![name]!;
    const Numbers = numbers.constructor as Int32ArrayConstructor;
    const rows = data.length / dims.slice(1).reduce((a, b) => a * b, 1);
    return [name, { data: Numbers.from(data), dims: [rows, ...dims.slice(1)] }];
  });
  return Object.fromEntries(joined);
}
