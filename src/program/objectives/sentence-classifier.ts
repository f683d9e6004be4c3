import {
  absolute,
  add,
  concat,
  gather,
  input,
  matmul,
  multiply,
  subtract,
} from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Tensors } from '../../engine/runtime/session.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { columnInput, EXAMPLES, joinColumns } from './embedding-model.ts';
import { LABELS } from './sequence-loss.ts';
import { type JointLoss, type LossOptions, type TaskModel, taskModel } from './task-model.ts';

/*
 * A linear layer on sentence vectors, as in SetFit (Tunstall et al., 2022). It is fitted to vectors of all training
 * rows outside of the graph, and is no part of the model. Training changes only the encoder.
 */

/** Names of the inputs for the weight [features, outputs] and the bias [1, outputs] of the layer. */
const LAYER = { weight: 'layer_weight', bias: 'layer_bias' };

/** A linear layer: features [width] to outputs. */
export interface LinearLayer {
  /** [outputs, width] */
  weight: Float32Array;
  /** [outputs] */
  bias: Float32Array;
}

/** The purpose of the vectors. */
interface VectorObjective {
  /** Texts per row: 1, or 2 for pairs. */
  columns: number;
  outputs: number;
  /** Builds the mean loss from logits [rows, outputs], and declares the input `labels`. */
  loss(logits: Value, options?: LossOptions): Value;
  /** Builds a loss that compares the vectors of single texts, and declares the input `labels`. Replaces `loss`. */
  contrast?: ((vectors: Value, outputs: number) => Value) | undefined;
}

/** The number of features of a row, for vectors of `width`. */
export function featureWidth(width: number, columns: number): number {
  return columns === 1 ? width : 4 * width;
}

/** The features of a row: the vector of its text, or of a pair u, v, |u − v| and u · v by element. */
export function rowFeatures(vectors: readonly Float32Array[]): Float32Array {
  const [u, v] = vectors as [Float32Array, Float32Array | undefined];
  if (!v) return u;
  const width = u.length;
  const features = new Float32Array(4 * width);
  features.set(u);
  features.set(v, width);
  for (let i = 0; i < width; i++) {
    features[2 * width + i] = Math.abs(u[i]! - v[i]!);
    features[3 * width + i] = u[i]! * v[i]!;
  }
  return features;
}

/** Returns the layer's outputs for the features of a row, [outputs]. */
export function layerOutputs({ weight, bias }: LinearLayer, features: Float32Array): Float32Array {
  const { length: width } = features;
  return bias.map((start, k) => {
    // Summed in float64, like the fit.
    let sum = start;
    for (let i = 0; i < width; i++) sum += weight[k * width + i]! * features[i]!;
    return sum;
  });
}

/** The inputs of the loss that hold the layer. */
export function layerFeeds({ weight, bias }: LinearLayer): Tensors {
  const outputs = bias.length;
  const width = weight.length / outputs;
  const transposed = new Float32Array(weight.length);
  for (let k = 0; k < outputs; k++)
    for (let i = 0; i < width; i++) transposed[i * outputs + k] = weight[k * width + i]!;
  return {
    [LAYER.weight]: { data: transposed, dims: [width, outputs] },
    [LAYER.bias]: { data: bias, dims: [1, outputs] },
  };
}

/**
 * A sentence encoder that is trained for a linear layer on its vectors. Its outputs are [texts, features]. If several
 * processes share a run, its loss is computed from the vectors of all of them.
 *
 * @throws UserError if the family has no such head
 */
export function sentenceClassifier(objective: VectorObjective) {
  const columns = Array.from({ length: objective.columns }, (_, column) => columnInput(column));
  const { contrast } = objective;
  const joint: JointLoss = {
    inputs: [...columns, LABELS, ...(contrast ? [] : Object.values(LAYER))],
    build: (outputs, customLoss) => vectorLoss(outputs, objective, { customLoss }),
    join(batches, texts) {
      const [first] = batches as [Tensors, ...Tensors[]];
      const layer = contrast ? [] : Object.values(LAYER).map((name) => [name, first[name]!] as const);
      return { ...joinColumns(columns, [LABELS], batches, texts), ...Object.fromEntries(layer) };
    },
  };
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => ({
    ...taskModel(definition, config, 'FEATURE_EXTRACTION', (vectors, _, options) =>
      vectorLoss(vectors(), objective, options),
    ),
    joint,
    layer: {
      inLoss: !contrast,
      columns: objective.columns,
      outputs: objective.outputs,
      head: definition.heads.SEQ_CLS,
    },
  });
}

function vectorLoss(
  outputs: Value,
  { columns, outputs: logits, loss, contrast }: VectorObjective,
  options?: LossOptions,
): Value {
  const { graph } = outputs.node;
  const vectors = Array.from({ length: columns }, (_, column) =>
    gather(outputs, input(graph, columnInput(column), 'int32', [EXAMPLES])),
  );
  if (contrast) return contrast(vectors[0]!, logits);
  const features = joinFeatures(vectors);
  const weight = input(graph, LAYER.weight, 'float32', [features.shape[1]!, logits]);
  const bias = input(graph, LAYER.bias, 'float32', [1, logits]);
  return loss(add(matmul(features, weight), bias), options);
}

/** As {@link rowFeatures}, for vectors [rows, width]. */
export function joinFeatures(vectors: readonly Value[]): Value {
  const [u, v] = vectors as [Value, Value | undefined];
  return v ? concat([u, v, absolute(subtract(u, v)), multiply(u, v)], 1) : u;
}
