import { rotate } from '../../engine/graph/build.ts';
import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { attention } from './attention.ts';
import { askedBias, decoderBias } from './attention-bias.ts';
import type { AttentionCache } from './key-value-cache.ts';
import { selectRows } from './last-rows.ts';
import type { Network } from './network.ts';
import { type Rotary, rotation } from './rotary.ts';

/** The model inputs that attention reads. */
interface DecoderInputs {
  /** int32 [sequence, batch] */
  positionIds: Value;
  /** int32 [batch, keys] */
  attentionMask: Value;
  batch: Dimension;
  sequence: Dimension;
  cache?: AttentionCache;
}

export interface DecoderAttentionOptions {
  heads: number;
  keyValueHeads: number;
  headSize: number;
  /** Rotary position embeddings. Without them, attention does not depend on positions. */
  rotary?: Rotary;
  /** The number of tokens that a token sees, itself included. Default: all tokens before it. */
  window?: number;
  /** Whether the query, key and value projections have a bias. */
  bias?: boolean;
  /**
   * Returns the queries, keys and values of rows x. By default, the modules `q_proj`, `k_proj` and `v_proj` compute
   * them.
   */
  project?: (module: Network, x: Value) => Value[];
  /** Name of the output projection. Default: `o_proj`. */
  output?: string;
  /** Whether the output projection has a bias. */
  outputBias?: boolean;
  /** Normalizes queries and keys before the rotation. `module` is `q_norm` or `k_norm`. */
  normalize?: (module: Network, rows: Value) => Value;
  dropout: number;
  scale?: number;
  adjust?: (scores: Value) => Value;
}

/**
 * Causal self-attention with rotary positions. Rows x [sequence · batch, width] attend to themselves and to the cached
 * tokens. Returns rows of the same shape, or only the asked ones.
 *
 * @param asked int32 [batch]: the number of one row of each example
 */
export function decoderAttention(
  module: Network,
  x: Value,
  { positionIds, attentionMask, batch, sequence, cache }: DecoderInputs,
  options: DecoderAttentionOptions,
  asked?: Value,
): Value {
  const { heads, keyValueHeads, headSize, output = 'o_proj', outputBias = false } = options;
  const { normalize = (_, rows) => rows, dropout, scale, adjust } = options;
  const [query, key, value] = (options.project ?? apart(options))(module, x) as [Value, Value, Value];
  const angles = options.rotary && rotation(positionIds, options.rotary);
  const placed = (norm: string, rows: Value) => {
    const normed = normalize(module.at(norm), rows);
    return angles ? rotate(normed, angles, headSize) : normed;
  };
  const remembered = (name: string, rows: Value) => module.remembered(cache, name, rows, sequence, headSize);
  const bias = decoderBias(attentionMask, sequence, options.window);
  const mixed = attention(
    module,
    [
      selectRows(placed('q_norm', query), asked),
      remembered('key', placed('k_norm', key)),
      remembered('value', value),
    ],
    askedBias(bias, asked),
    { batch, queries: asked ? 1 : sequence, heads, headSize, keyValueHeads, dropout, scale, adjust },
  );
  return module.linear(output, mixed, x.shape[1] as number, { bias: outputBias });
}

/** Projects to queries, keys and values with separate modules. */
function apart({ heads, keyValueHeads, headSize, bias = false }: DecoderAttentionOptions) {
  const widths = [heads, keyValueHeads, keyValueHeads].map((count) => count * headSize);
  return (module: Network, x: Value) =>
    module.linearGroup(['q_proj', 'k_proj', 'v_proj'], x, widths, { bias });
}
