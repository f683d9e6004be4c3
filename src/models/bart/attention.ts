import type { Dimension } from '../../graph/dimension.ts';
import type { Value } from '../../graph/graph.ts';
import { attention } from '../../nn/attention.ts';
import type { Network } from '../../nn/network.ts';
import { lazy } from '../../support/lazy.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { BartConfig } from './config.ts';

/** Who asks in an attention, and how. */
export interface Asking {
  /** Tokens of `hidden`. */
  queries: Dimension;
  heads: number;
  /** Added to the scores: [batch | 1, 1, queries | 1, keys] */
  bias: Value;
}

/** Attention of a sequence to itself; a decoder's `cache` puts what it has read before in front. */
export function selfAttention(
  network: Network,
  config: BartConfig,
  path: string,
  hidden: Value,
  asking: Asking,
  { batch, cache }: Pick<ModelInputs, 'batch' | 'cache'>,
): Value {
  const paths = ['q_proj', 'k_proj', 'v_proj'].map((name) => `${path}.${name}`);
  const widths = paths.map(() => config.d_model);
  const [query, key, value] = network.linearGroup(paths, hidden, widths);
  const remember = (name: string, rows: Value) =>
    cache?.extend(`${path}.${name}`, rows, asking.queries) ?? rows;
  return attend(
    network,
    config,
    path,
    [query, remember('key', key), remember('value', value)],
    asking,
    batch,
  );
}

/** Attention of the decoder to what the encoder made of its input, whose keys and values a cache keeps. */
export function crossAttention(
  network: Network,
  config: BartConfig,
  path: string,
  hidden: Value,
  encoded: () => Value,
  asking: Asking,
  { batch, sequence, cache }: ModelInputs,
): Value {
  const width = config.d_model;
  const query = network.linear(`${path}.q_proj`, hidden, width);
  const projected = lazy(() =>
    network.linearGroup([`${path}.k_proj`, `${path}.v_proj`], encoded(), [width, width]),
  );
  const [key, value] = ['key', 'value'].map((name, i) => {
    const rows = () => projected()[i];
    return cache?.keep(`${path}.${name}`, sequence, width, rows) ?? rows();
  });
  return attend(network, config, path, [query, key, value], asking, batch);
}

function attend(
  network: Network,
  { d_model, attention_dropout }: BartConfig,
  path: string,
  queryKeyValue: readonly Value[],
  { queries, heads, bias }: Asking,
  batch: Dimension,
): Value {
  const shape = { batch, queries, heads, headSize: d_model / heads };
  const mixed = attention(network, queryKeyValue, bias, shape, { dropout: attention_dropout });
  return network.linear(`${path}.out_proj`, mixed, d_model);
}
