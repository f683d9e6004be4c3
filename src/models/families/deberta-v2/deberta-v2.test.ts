import { describe, expect, it } from 'vitest';
import { cpu, wasm } from '../../../../tests/support/backends.ts';
import { dropoutSites } from '../../../../tests/support/dropout-sites.ts';
import { input } from '../../../engine/graph/build.ts';
import { multiplyDimensions, symbol } from '../../../engine/graph/dimension.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { scoreLoss, sequenceModel } from '../../../program/objectives/sequence-loss.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import type { HeadKind } from '../../heads/registry.ts';
import { parseDebertaV2Config } from './config.ts';
import { debertaV2 } from './definition.ts';
import { skew } from './disentangled-attention.ts';
import { relativeRows, rowsOfDistances } from './model.ts';

const SIZES = {
  vocab_size: 11,
  hidden_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 8,
  relative_attention: true,
  pos_att_type: 'p2c|c2p',
};
/** DeBERTaV3-base as published. */
const BASE = {
  ...SIZES,
  vocab_size: 128100,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  type_vocab_size: 0,
  share_att_key: true,
  position_buckets: 256,
  norm_rel_ebd: 'layer_norm',
  position_biased_input: false,
};
const parse = (fields: object) => parseDebertaV2Config({ ...SIZES, ...fields }, 'config.json');

describe.each([cpu, wasm])('skewing on $name', ({ open, target }) => {
  it.each([1, 2, 3])('moves relative positions to %i keys', async (n) => {
    const size = symbol('n');
    const columns = multiplyDimensions(2, size);
    const graph = new Graph();
    const x = input(graph, 'x', 'float32', [symbol('batch'), 2, size, columns]);
    const session = await open(lower({ y: skew(x) }, { target }));
    const data = Float32Array.from({ length: 8 * n * n }, (_, i) => i);
    const { y } = await session.run({ x: { data, dims: [2, 2, n, 2 * n] } });
    await session.release();
    const at = (matrix: number, i: number, j: number) => data[(matrix * n + i) * 2 * n + (n - 1 - i + j)];
    const expected = Array.from({ length: 4 * n * n }, (_, e) =>
      at(Math.floor(e / (n * n)), Math.floor(e / n) % n, e % n),
    );
    expect(y).toEqual({ data: Float32Array.from(expected), dims: [2, 2, n, n] });
  });
});

/**
 * 0.1: the embeddings; per layer the relative embeddings, the attention output and the layer output. 0.2: the
 * attention weights.
 */
const base = { 0.1: 1 + 2 * 3, 0.2: 2 };

it.each<[HeadKind, object, Record<number, number>]>([
  ['SEQ_CLS', {}, { ...base, 0.3: 1, 0.4: 1 }],
  ['QUESTION_ANS', {}, base],
  ['TOKEN_CLS', {}, { ...base, 0.1: base[0.1] + 1 }],
  ['MASKED_LM', {}, base],
  ['QUESTION_ANS', { conv_kernel_size: 3 }, { ...base, 0.1: base[0.1] + 1 }],
  ['QUESTION_ANS', { relative_attention: false }, { ...base, 0.1: base[0.1] - 2 }],
])("dropout of %s with %j is at transformers' sites", (head, fields, expected) => {
  const probabilities = {
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.2,
    pooler_dropout: 0.3,
    cls_dropout: 0.4,
  };
  expect(dropoutSites({ model_type: 'deberta-v2', ...SIZES, ...fields, ...probabilities }, head)).toEqual(
    expected,
  );
});

describe('a config.json', () => {
  it('has the defaults of transformers, and no maximum length if positions are relative', () => {
    const defaults = parseDebertaV2Config({}, 'config.json');
    const { hidden_size, num_hidden_layers, pos_att_type, maxLength } = defaults;
    expect([hidden_size, num_hidden_layers, pos_att_type, maxLength]).toEqual([1536, 24, [], 512]);
    expect(parse(BASE).maxLength).toBe(2048);
  });

  it('lists kinds of attention in a string or an array', () => {
    expect(parse({ pos_att_type: ' P2C | c2p' }).pos_att_type).toEqual(['p2c', 'c2p']);
    expect(parse({ pos_att_type: ['c2p'] }).pos_att_type).toEqual(['c2p']);
  });

  it.each([
    [{ num_attention_heads: 4 }, /must divide hidden_size\n.*num_attention_heads/],
    [{ attention_head_size: 2 }, /attention gives what it takes\n.*attention_head_size/],
    [{ pooler_hidden_size: 5 }, /must be hidden_size\n.*pooler_hidden_size/],
    [{ position_buckets: 1 }, /a bucket on either side.*\n.*position_buckets/],
    [{ conv_kernel_size: 2 }, /must be odd.*\n.*conv_kernel_size/],
    [{ conv_kernel_size: 3, conv_groups: 4 }, /must divide hidden_size\n.*conv_groups/],
    [{ max_position_embeddings: 1e6 }, /max_position_embeddings/],
  ])('with %j is rejected', (fields, message) => expect(() => parse(fields)).toThrow(message));

  it('with embeddings of another width is rejected by the head without a projection to them', () => {
    const config = parse({ embedding_size: 4, legacy: false });
    expect(() => tokenModel('MASKED_LM')(debertaV2, config)).toThrow(/embedding_size/);
    expect(() => sequenceModel(debertaV2, config, scoreLoss)).not.toThrow();
  });
});

const rows = (position_buckets: number, max_relative_positions: number, first: number, count: number) =>
  rowsOfDistances({ position_buckets, max_relative_positions }, first, count, 1);

describe('rows of relative embeddings', () => {
  it('are one per distance without buckets, up to the farthest', () => {
    expect(relativeRows({ position_buckets: -1, max_relative_positions: 3 })).toBe(6);
    expect(rows(-1, 3, -5, 11)).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 5, 5, 5]);
  });

  it('widen beyond half the buckets, as in transformers 5.24', () => {
    expect(rows(8, 40, 0, 20).join(' ')).toBe('8 9 10 11 12 13 13 13 13 14 14 14 14 14 14 14 14 14 14 15');
    // Here, the logarithm is a whole number: log 2 / log 8 · 3.
    expect(rows(8, 33, 8, 2)).toEqual([13, 14]);
    expect(rows(8, 33, 16, 2)).toEqual([14, 15]);
    expect(rows(8, 33, 32, 3)).toEqual([15, 15, 15]);
    expect(rows(8, 33, -34, 3)).toEqual([0, 0, 1]);
  });

  it('are those of the mirrored distance on the other side', () => {
    const settings = { position_buckets: 256, max_relative_positions: 512 };
    const falling = rowsOfDistances(settings, 511, 1023, -1);
    const rising = rowsOfDistances(settings, -511, 1023, 1);
    expect(falling).toEqual([...rising].reverse());
    expect(falling).toEqual(rising.map((row) => 512 - row));
  });
});
