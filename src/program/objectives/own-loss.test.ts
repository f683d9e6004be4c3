import { describe, expect, it } from 'vitest';
import { cpu } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { constant, input } from '../../engine/graph/build.ts';
import { symbol } from '../../engine/graph/dimension.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { bert } from '../../models/families/bert/definition.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { Random } from '../../support/random.ts';
import { type EmbeddingLoss, embeddingModel } from './embedding-model.ts';
import type { LossFunction } from './own-loss.ts';
import { spanLoss } from './span-model.ts';
import { taskModel } from './task-model.ts';

const CONFIG: CommonConfig = {
  ...bert.parseConfig(
    {
      model_type: 'bert',
      hidden_size: 4,
      intermediate_size: 4,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      vocab_size: 10,
      max_position_embeddings: 8,
    },
    'test',
  ),
  numLabels: 2,
};

/** The loss and its gradient of the outputs. */
async function computed(build: (outputs: Value) => Value, outputs: Value, feeds: object): Promise<number[]> {
  const loss = build(outputs);
  const [gradient] = gradients(loss, [outputs]);
  const session = await cpu.open(lower({ loss, gradient: gradient! }, { target: 'cpu' }));
  const found = await session.run(feeds as never);
  await session.release();
  return [...(found.loss!.data as Float32Array), ...(found.gradient!.data as Float32Array)];
}

const randomOutputs = (...dims: number[]) => ({
  data: new Random(1, 'outputs').normals(
    dims.reduce((a, b) => a * b),
    1,
  ),
  dims,
});
const int32 = (...values: number[]) => ({ data: Int32Array.from(values), dims: [values.length] });

describe('a custom loss', () => {
  it('of questions gets a row for each start and each end', async () => {
    const twice: LossFunction = (logits, labels, { crossEntropy, multiply }) =>
      multiply(crossEntropy(logits, labels), 2);
    const of = (customLoss?: LossFunction) => {
      const logits = input(new Graph(), 'logits', 'float32', [2, symbol('batch'), symbol('sequence')]);
      return computed((outputs) => spanLoss(outputs, { customLoss }), logits, {
        logits: randomOutputs(2, 3, 4),
        // A negative position counts as 0.
        start_positions: int32(2, -100, 1),
        end_positions: int32(3, 1, 0),
      });
    };
    const [plain, replaced] = [await of(), await of(twice)];
    // Single precision: the mean of six rows, and the mean of two means.
    replaced.forEach((value, i) => expect(value / 2).toBeCloseTo(plain[i]!, 6));
  });

  it.each<[EmbeddingLoss, LossFunction]>([
    [
      { kind: 'multiple_negatives_ranking', columns: 2, negatives: 0, scale: 20, symmetric: false },
      (vectors, labels, { crossEntropy, matmul, multiply, toUnitLength, reshape, slice }) => {
        const [, examples, width] = vectors.shape;
        const column = (i: number) => toUnitLength(reshape(slice(vectors, 0, i, i + 1), [examples!, width!]));
        const scores = matmul(column(0), column(1), { transposeB: true, scale: 20 });
        return multiply(crossEntropy(scores, labels), 2);
      },
    ],
    [
      { kind: 'cosine', columns: 2 },
      (vectors, labels, { meanSquaredError, multiply, pairwiseCosine, reshape, slice }) => {
        const [, examples, width] = vectors.shape;
        const column = (i: number) => reshape(slice(vectors, 0, i, i + 1), [examples!, width!]);
        return multiply(meanSquaredError(pairwiseCosine(column(0), column(1)), labels), 2);
      },
    ],
  ])('of embeddings gets the columns of vectors: %j', async (loss, twice) => {
    for (const matryoshka of [undefined, { dims: [4, 2], weights: [1, 0.5] }]) {
      const { joint } = embeddingModel(loss, matryoshka)(bert, CONFIG);
      const of = (customLoss?: LossFunction) => {
        const outputs = input(new Graph(), 'outputs', 'float32', [symbol('texts'), 4]);
        return computed((vectors) => joint!.build(vectors, customLoss), outputs, {
          outputs: randomOutputs(5, 4),
          column_0: int32(0, 1, 2),
          column_1: int32(3, 4, 0),
          ...(loss.kind === 'cosine' && { targets: { data: Float32Array.of(1, 0, 0.5), dims: [3] } }),
        });
      };
      const [plain, replaced] = [await of(), await of(twice)];
      // The same operations in the same order, up to a concatenation.
      replaced.forEach((value, i) => expect(value / 2).toBeCloseTo(plain[i]!, 6));
    }
  });

  it('is an error where the loss ignores it', () => {
    const model = taskModel(bert, CONFIG, 'FEATURE_EXTRACTION', (_, { graph }) => constant(graph, [1], []));
    const network = { graph: new Graph() } as never;
    expect(() => model.buildLoss(network, { customLoss: (logits) => logits })).toThrow(
      '`training.compute_loss_func` does not apply: the loss of this task cannot be replaced. Remove it.',
    );
    expect(model.buildLoss(network).shape).toEqual([]);
  });
});
