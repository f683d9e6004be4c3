import { describe, expect, it } from 'vitest';
import { dropoutSites } from '../../../../tests/support/dropout-sites.ts';
import { defaultTargets } from '../../../methods/tuners/targets/adapted-modules.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import { elementCount } from '../../../support/arrays.ts';
import { t5 } from './definition.ts';
import { distanceBuckets, parseT5Config, type T5Config } from './model.ts';

const model = (fields: object) => tokenModel('SEQ_2_SEQ_LM')(t5, parseT5Config(fields, 'config.json'));
const FLAN_SMALL = {
  d_model: 512,
  d_ff: 1024,
  num_layers: 8,
  num_heads: 6,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
};

// From T5Attention._relative_position_bucket.
it("buckets of distances equal transformers'", () => {
  const settings = { relative_attention_num_buckets: 8, relative_attention_max_distance: 9 };
  expect(distanceBuckets(settings, 2)).toEqual([3, 3, 3, 3, 3, 2, 2, 2, 1, 0, 5, 6, 6, 6, 7, 7, 7, 7, 7]);
  const usual = { relative_attention_num_buckets: 32, relative_attention_max_distance: 128 };
  const ends = distanceBuckets(usual, 1).flatMap((bucket, distance, all) =>
    bucket === all[distance + 1] ? [] : distance,
  );
  expect(ends).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 20, 23, 26, 30, 34, 39, 45, 51, 58, 66, 76, 86,
    98, 112, 128,
  ]);
});

describe('the model of a config.json', () => {
  it.each([
    ['t5-small', {}, 60_506_624],
    ['flan-t5-small', FLAN_SMALL, 76_961_152],
  ])('has as many parameters as %s', (_, fields, count) => {
    const { parameters } = model(fields);
    expect([...parameters.values()].reduce((sum, shape) => sum + elementCount(shape), 0)).toBe(count);
  });

  it.each([
    [{}, true, ['relu', false]],
    [{ tie_word_embeddings: false, feed_forward_proj: 'gated-gelu' }, false, ['gelu_new', true]],
    // As transformers 5 saves T5 v1.1.
    [{ tie_word_embeddings: true, scale_decoder_outputs: false }, false, ['relu', false]],
    [{ dense_act_fn: 'silu', is_gated_act: true }, true, ['silu', true]],
  ])('has the output layer and the feed-forward network of transformers: %j', (fields, scaled, form) => {
    const { config, parameters } = model(fields);
    const { scale_decoder_outputs, dense_act_fn, is_gated_act } = config as unknown as T5Config;
    expect([scale_decoder_outputs, dense_act_fn, is_gated_act]).toEqual([scaled, ...form]);
    expect(parameters.has('lm_head.weight')).toBe(!scaled);
  });

  it('adapts the matrices of its form of the feed-forward network', () => {
    expect(defaultTargets(model({}), 'many')).toEqual(['q', 'k', 'v', 'o', 'wi', 'wo']);
    expect(defaultTargets(model(FLAN_SMALL), 'many')).toEqual(['q', 'k', 'v', 'o', 'wi_0', 'wi_1', 'wo']);
  });

  it("has dropout at transformers' sites", () => {
    const json = {
      model_type: 't5',
      num_layers: 1,
      d_model: 8,
      d_ff: 8,
      num_heads: 2,
      d_kv: 4,
      vocab_size: 9,
    };
    // Encoder: the embeddings, two sublayers with one inner place each, the end. The decoder has three
    // sublayers.
    expect(dropoutSites(json, 'SEQ_2_SEQ_LM')).toEqual({
      0.1: 1 + 4 + 1 + (1 + 6 + 1),
    });
  });

  it.each([
    [{ relative_attention_max_distance: 16 }, /must be above half of relative_attention_num_buckets/],
    [{ feed_forward_proj: 'gated-relu-x' }, /feed_forward_proj/],
    [{ is_encoder_decoder: false }, /is_encoder_decoder/],
  ])('is rejected with %j', (fields, message) => {
    expect(() => model(fields)).toThrow(message);
  });

  it('draws new weights by their input size, for queries also by the head size', () => {
    const { config } = model({});
    const deviation = (name: string, shape: number[]) => config.deviationOf?.(name, shape);
    expect(deviation('shared.weight', [32128, 512])).toBe(1);
    // JavaScript engines compute powers with different last digits.
    expect(deviation('encoder.block.0.layer.0.SelfAttention.q.weight', [512, 512])).toBeCloseTo(
      (512 * 64) ** -0.5,
      12,
    );
    expect(deviation('encoder.block.0.layer.0.SelfAttention.o.weight', [512, 512])).toBeCloseTo(
      512 ** -0.5,
      12,
    );
    expect(deviation('encoder.block.0.layer.1.DenseReluDense.wo.weight', [512, 2048])).toBeCloseTo(
      2048 ** -0.5,
      12,
    );
  });
});
