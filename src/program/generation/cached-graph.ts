import { input, iota, reshape, slice } from '../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import type { ModelInputs } from '../../models/model-definition.ts';
import type { AttentionCache } from '../../models/nn/attention-cache.ts';
import { type CacheEntry, KeyValueCache, PRESENT } from '../../models/nn/key-value-cache.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import { withVirtualTokens } from '../objectives/virtual-inputs.ts';
import { tunedNetwork } from '../training-graph.ts';

export interface CachedGraph {
  /** The logits [batch, vocabulary] after the last token with the new cache entries, or the encoder's results. */
  outputs: Record<string, Value>;
  /** The cache entries for the tokens that were read before. */
  entries: readonly CacheEntry[];
  /** The cache entries that the decoder gets from the encoder. */
  encoded: readonly CacheEntry[];
}

/** A causal language model that reads tokens after the cached ones. */
export function causalGraph(model: TaskModel, tuner: Tuner): CachedGraph {
  return cachedGraph(model, tuner, 'decode', (inputs, { past }) => ({
    attentionMask: input(inputs.inputIds.node.graph, 'attention_mask', 'int32', [
      inputs.batch,
      addDimensions(past, inputs.sequence),
    ]),
    logitRows: lastRows(inputs, inputs.sequence),
  }));
}

/** The decoder of an encoder-decoder. Its cache also holds the keys and values of the encoder's output. */
export function decoderGraph(model: TaskModel, tuner: Tuner): CachedGraph {
  return cachedGraph(model, tuner, 'decode', (inputs) => ({ logitRows: lastRows(inputs, inputs.target) }));
}

/** The encoder. Its results are the keys and values that the decoder's layers need. */
export function encoderGraph(model: TaskModel, tuner: Tuner): CachedGraph {
  const { outputs, encoded } = cachedGraph(model, tuner, 'encode', () => ({}));
  const kept = encoded.map(({ name }) => [PRESENT + name, outputs[PRESENT + name]!] as const);
  return { outputs: Object.fromEntries(kept), entries: [], encoded };
}

/**
 * The keys and values of a tuner's virtual tokens before a text of one token, [tokens, batch, width] by the names of
 * the cache; undefined for a tuner without such tokens.
 */
export function virtualGraph(model: TaskModel, tuner: Tuner): Record<string, Value> | undefined {
  const { network } = tunedNetwork(tuner, false);
  const { virtual } = network;
  if (!virtual) return undefined;
  const states: Record<string, Value> = {};
  model.buildLogits(network, (inputs) => {
    const { cache, ...changed } = withVirtualTokens(inputs, virtual);
    const count = multiplyDimensions(virtual.count, inputs.batch);
    const recorder: AttentionCache = {
      past: cache?.past ?? 0,
      extend(name, rows, tokens, headSize) {
        const all = cache?.extend(name, rows, tokens, headSize) ?? rows;
        states[name] = reshape(slice(all, 0, 0, count), [virtual.count, inputs.batch, rows.shape[1]!]);
        return all;
      },
      keep: (_name, _source, _heads, rows) => rows(),
    };
    return { ...changed, cache: recorder };
  });
  return states;
}

function cachedGraph(
  model: TaskModel,
  tuner: Tuner,
  phase: 'encode' | 'decode',
  change: (inputs: ModelInputs, cache: KeyValueCache) => Partial<ModelInputs>,
): CachedGraph {
  const network = tunedNetwork(tuner, false).network.with({ generates: true });
  let cache: KeyValueCache | undefined;
  const logits = model.buildLogits(network, (inputs) => {
    cache = new KeyValueCache(network.graph, inputs.batch, phase);
    return { cache, ...change(inputs, cache) };
  });
  if (!cache) throw new Error('the model was built without its inputs');
  const { outputs, entries, encoded } = cache;
  return { outputs: { logits, ...outputs }, entries, encoded };
}

/** Selects the rows of the last token from rows [tokens · batch], sequence-major. */
function lastRows({ inputIds, batch }: ModelInputs, tokens: Dimension): Value {
  const count = multiplyDimensions(tokens, batch);
  const before = addDimensions(count, multiplyDimensions(batch, -1));
  return slice(iota(inputIds.node.graph, count), 0, before, count);
}
