import { add, input, matmul, reshape, slice, transpose, weight } from '../../engine/graph/build.ts';
import { type Dimension, symbol } from '../../engine/graph/dimension.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import type { HeadDefinition } from '../../models/heads/head-definition.ts';
import { headNamed } from '../../models/heads/registry.ts';
import type { CommonConfig, ModelInputs } from '../../models/model-definition.ts';
import { Network } from '../../models/nn/network.ts';
import { joinFeatures } from '../../program/objectives/sentence-classifier.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import {
  countedPositions,
  idsInput,
  maskInput,
  OPTIMUM_BATCH,
  OptimumCache,
  type Phase,
  SEQUENCE,
  SOURCE,
} from './optimum-cache.ts';

/** Name of the frozen vector with the adapter's values, for a method that adds layers. */
export const ADAPTER = 'adapter';

/** A graph that is exported as a file. */
export interface ModelGraph {
  /** The file's name without the suffix for the type of its weights. */
  name: 'model' | 'encoder_model' | 'decoder_model_merged';
  outputs: Readonly<Record<string, Value>>;
  /** For the decoder of an encoder-decoder: computes inputs such as `N.encoder.key` if the cache lacks them. */
  keys?: Readonly<Record<string, Value>>;
}

/**
 * Builds the graphs of a model as Optimum exports them: an encoder and a decoder for an encoder-decoder that generates
 * text, otherwise one graph.
 *
 * @param tuner of a method that adds layers; undefined if the weights contain all changes
 */
export function modelGraphs(model: TaskModel, tuner?: Tuner): ModelGraph[] {
  const head = headNamed(model.headKind);
  if (head.reads === 'cached') return [{ name: 'model', outputs: causal(model, tuner) }];
  if (model.layer) return [{ name: 'model', outputs: { logits: layered(model, model.layer, tuner) } }];
  if (head.reads === 'whole') {
    let tokens: Value | undefined;
    const logits = whole(model, tuner, (hidden) => {
      tokens = hidden;
    });
    // The hidden states come first among the outputs, for callers that pool them.
    const states = tokens && { last_hidden_state: byToken(tokens, findTokens(model)) };
    if (states && model.config.content)
      return [{ name: 'model', outputs: { ...states, pooler_output: logits } }];
    return [{ name: 'model', outputs: { ...states, ...namedOutputs(head, logits) } }];
  }
  const part = (phase: Phase) => encoderDecoder(model, tuner, phase);
  const [encoder, keys, decoder] = (['encoder', 'keys', 'decoder'] as const).map(part);
  return [
    { name: 'encoder_model', outputs: { last_hidden_state: encoder!.cache.encoderOutput as Value } },
    {
      name: 'decoder_model_merged',
      outputs: { logits: byToken(decoder!.logits), ...decoder!.cache.present },
      keys: keys!.cache.encoder,
    },
  ];
}

/** Builds a model that reads a whole text at once. */
function whole(model: TaskModel, tuner: Tuner | undefined, onTokens?: (hidden: Value) => void): Value {
  return readWhole(model, networkWith(tuner), '', SEQUENCE, onTokens);
}

/** @param suffix the end of the names of the inputs */
function readWhole(
  model: TaskModel,
  network: Network,
  suffix: string,
  sequence: Dimension,
  onTokens?: (hidden: Value) => void,
): Value {
  const { graph } = network;
  const { content } = model.config;
  if (content) return model.buildLogits(network, () => contentInputs(graph, content, onTokens));
  return model.buildLogits(network, () => ({
    batch: OPTIMUM_BATCH,
    sequence,
    inputIds: idsInput(graph, `input_ids${suffix}`, sequence),
    tokenTypeIds: idsInput(graph, `token_type_ids${suffix}`, sequence),
    positionIds: countedPositions(graph, sequence),
    attentionMask: maskInput(graph, `attention_mask${suffix}`, 0, sequence),
    ...(onTokens && { onTokens }),
  }));
}

function contentInputs(
  graph: Graph,
  { input: name, shape }: NonNullable<CommonConfig['content']>,
  onTokens?: (hidden: Value) => void,
): Partial<ModelInputs> {
  const content = input(graph, name, 'float32', [OPTIMUM_BATCH, ...shape]);
  return { batch: OPTIMUM_BATCH, content, ...(onTokens && { onTokens }) };
}

/** The number of tokens of an example, if it is the same for all. */
function findTokens({ config }: TaskModel): Dimension {
  return config.content ? config.maxLength : SEQUENCE;
}

/** Names of a linear layer's tensors in a graph. */
export const LAYER = { weight: 'classifier.weight', bias: 'classifier.bias' };
/** The end of the names of the second text's inputs. */
const PAIR = '_pair';

/** Builds the logits of a linear layer on the vectors of a text, or of the two texts of a pair. */
function layered(
  model: TaskModel,
  { columns, outputs }: NonNullable<TaskModel['layer']>,
  tuner: Tuner | undefined,
): Value {
  const network = networkWith(tuner);
  const { graph } = network;
  const vectors = ['', ...(columns === 2 ? [PAIR] : [])].map((suffix) =>
    readWhole(model, network, suffix, suffix === '' ? SEQUENCE : symbol('pair_length')),
  );
  const features = joinFeatures(vectors);
  const matrix = weight(graph, LAYER.weight, [outputs, features.shape[1] as number]);
  return add(matmul(features, matrix, { transposeB: true }), weight(graph, LAYER.bias, [outputs]));
}

/** Builds a decoder with a cache. */
function causal(model: TaskModel, tuner: Tuner | undefined): Record<string, Value> {
  const network = networkWith(tuner);
  const { graph } = network;
  const cache = new OptimumCache(graph, SEQUENCE);
  const logits = model.buildLogits(network, () => ({
    batch: OPTIMUM_BATCH,
    sequence: SEQUENCE,
    cache,
    inputIds: idsInput(graph, 'input_ids'),
    positionIds: idsInput(graph, 'position_ids'),
    attentionMask: maskInput(graph, 'attention_mask', cache.past),
  }));
  return { logits: byToken(logits), ...cache.present };
}

function encoderDecoder(model: TaskModel, tuner: Tuner | undefined, phase: Phase) {
  const network = networkWith(tuner);
  const { graph } = network;
  const { content, maxLength } = model.config;
  const source = content ? maxLength : phase === 'encoder' ? SEQUENCE : SOURCE;
  const cache = new OptimumCache(graph, source, phase);
  const mask = phase === 'encoder' ? 'attention_mask' : 'encoder_attention_mask';
  const inputs: Partial<ModelInputs> = {
    batch: OPTIMUM_BATCH,
    target: SEQUENCE,
    cache,
    ...(content
      ? contentInputs(graph, content)
      : {
          sequence: source,
          attentionMask: maskInput(graph, mask, 0, source),
          inputIds: idsInput(graph, 'input_ids', source),
        }),
    decoderInputIds: idsInput(graph, phase === 'encoder' ? 'decoder_input_ids' : 'input_ids'),
  };
  const logits = model.buildLogits(network, () => inputs);
  return { logits, cache };
}

function networkWith(tuner: Tuner | undefined): Network {
  const graph = new Graph();
  if (!tuner) return new Network(graph);
  const flat = weight(graph, ADAPTER, [tuner.layout.length]);
  return new Network(graph, { injection: tuner.inject(flat, (x) => x) });
}

/** The outputs of a head, with Optimum's names and in its order. */
function namedOutputs({ axes, onnxOutputs }: HeadDefinition, logits: Value): Record<string, Value> {
  if (onnxOutputs.length === 1) {
    const [name] = onnxOutputs;
    return { [name!]: axes[0] === 'batch' ? logits : byToken(logits) };
  }
  const part = (i: number) => reshape(slice(logits, 0, i, i + 1), logits.shape.slice(1));
  return Object.fromEntries(onnxOutputs.map((name, i) => [name, part(i)]));
}

/** Reshapes logits of rows [tokens · batch, classes] to [batch, tokens, classes]. */
function byToken(logits: Value, tokens: Dimension = SEQUENCE): Value {
  return transpose(reshape(logits, [tokens, OPTIMUM_BATCH, logits.shape[1]!]), [1, 0, 2]);
}
