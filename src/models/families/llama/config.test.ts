import { describe, expect, it } from 'vitest';
import { modelFamily } from '../../registry.ts';

const SIZES = {
  vocab_size: 9,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 8,
};

const parse = (model_type: string, fields: object) =>
  modelFamily({ model_type }, 'config.json').parseConfig({ ...SIZES, ...fields }, 'config.json');

it('has the defaults of transformers', () => {
  expect(parse('llama', {})).toMatchObject({
    keyValueHeads: 4,
    headSize: 6,
    maxLength: 2048,
    rms_norm_eps: 1e-6,
  });
  const mistral = { num_attention_heads: 8, hidden_size: 32 };
  expect(parse('mistral', mistral)).toMatchObject({
    keyValueHeads: 8,
    sliding_window: 4096,
    maxLength: 131072,
  });
  expect(parse('qwen3', { num_key_value_heads: 2 })).toMatchObject({ keyValueHeads: 2, headSize: 128 });
  expect(parse('olmo2', {})).toMatchObject({ padTokenId: 1, rms_norm_eps: 1e-5 });
  expect(parse('gemma2', {})).toMatchObject({
    tie_word_embeddings: true,
    layer_types: ['sliding_attention', 'full_attention'],
    hidden_act: 'gelu_pytorch_tanh',
  });
  expect(parse('smollm3', { num_hidden_layers: 4 })).toMatchObject({
    no_rope_layers: [1, 1, 1, 0],
    rope_parameters: { rope_theta: 2_000_000 },
    keyValueHeads: 4,
  });
});

it('has the layers and the rotary settings of Gemma 3, also by their older keys', () => {
  const older = {
    num_hidden_layers: 3,
    sliding_window_pattern: 3,
    rope_theta: 500_000,
    rope_local_base_freq: 20_000,
    rope_scaling: { rope_type: 'linear', factor: 8 },
  };
  expect(parse('gemma3_text', older)).toMatchObject({
    layer_types: ['sliding_attention', 'sliding_attention', 'full_attention'],
    rotary_by_layer: {
      full_attention: { rope_type: 'linear', factor: 8, rope_theta: 500_000 },
      sliding_attention: { rope_type: 'default', rope_theta: 20_000 },
    },
  });
  expect(parse('gemma3_text', {})).toMatchObject({
    rotary_by_layer: { full_attention: { rope_theta: 1_000_000 }, sliding_attention: { rope_theta: 10_000 } },
  });
});

it.each([
  [
    'modernbert',
    { global_rope_theta: 500, rope_scaling: { rope_type: 'linear', factor: 2 } },
    {
      full_attention: { rope_type: 'linear', factor: 2, rope_theta: 500 },
      sliding_attention: { rope_type: 'linear', factor: 2, rope_theta: 10_000 },
    },
  ],
  [
    'gemma3_text',
    { rope_scaling: { type: 'linear', factor: 2 } },
    { full_attention: { rope_type: 'default' }, sliding_attention: { rope_type: 'default' } },
  ],
])('scales the layer types of %s as transformers: %j', (family, fields, expected) => {
  const { rotary_by_layer, rope_parameters } = parse(family, fields) as unknown as Record<string, object>;
  expect(rotary_by_layer ?? rope_parameters).toMatchObject(expected);
});

it('has the rotary settings of GPT-NeoX and Phi-3 from their own keys', () => {
  const others = { rope_theta: 500, partial_rotary_factor: 0.5, hidden_size: 32 };
  expect(parse('gpt_neox', others)).toMatchObject({
    rope_parameters: { rope_theta: 10_000, partial_rotary_factor: 0.25 },
  });
  const factors = { short_factor: [1, 1, 1], long_factor: [2, 2, 2], original_max_position_embeddings: 7 };
  const long = { pad_token_id: 0, rope_scaling: { type: 'longrope', ...factors } };
  expect(parse('phi3', { ...long, original_max_position_embeddings: 16 })).toMatchObject({
    rope_parameters: { original_max_position_embeddings: 16 },
  });
  expect(parse('phi3', long)).toMatchObject({ rope_parameters: { original_max_position_embeddings: 4096 } });
});

it('has windows for the last layers if Qwen uses them', () => {
  const layers = { num_hidden_layers: 3, num_key_value_heads: 4, sliding_window: 5, max_window_layers: 2 };
  const types = ['full_attention', 'full_attention'];
  expect(parse('qwen2', layers)).toMatchObject({ layer_types: [...types, 'full_attention'] });
  expect(parse('qwen2', { ...layers, use_sliding_window: true })).toMatchObject({
    layer_types: [...types, 'sliding_attention'],
  });
});

it('has the length of its dynamic scaling', () => {
  const rope_scaling = { type: 'dynamic', factor: 2.5 };
  expect(parse('llama', { max_position_embeddings: 10, rope_scaling }).maxLength).toBe(25);
});

describe('an unsupported setting is rejected', () => {
  it.each([
    ['llama', { num_key_value_heads: 3 }, /must divide num_attention_heads/],
    ['llama', { hidden_size: 20 }, /head_dim/],
    ['llama', { is_causal: false }, /is_causal/],
    ['llama', { rope_scaling: { type: 'longrope', factor: 2 } }, /'yarn'\n.*rope_type/],
    ['llama', { rope_scaling: { type: 'linear' } }, /rope_parameters\.factor/],
    ['llama', { rope_scaling: { type: 'linear', factor: 2 }, partial_rotary_factor: 0.5 }, /whole heads/],
    ['llama', { rope_parameters: { full_attention: { rope_theta: 5 } } }, /the same for all layers/],
    ['mistral', { num_key_value_heads: 4, sliding_window: 0 }, /sliding_window/],
    ['qwen2', { num_key_value_heads: 4, layer_types: ['full_attention'] }, /num_hidden_layers, 2/],
    [
      'qwen2',
      { num_key_value_heads: 4, layer_types: ['full_attention', 'sliding_attention'] },
      /needs a sliding_window/,
    ],
    ['smollm3', { no_rope_layers: [1] }, /must name every layer/],
    ['smollm3', { no_rope_layers: [2, 0] }, /no_rope_layers/],
    ['phi3', { rope_scaling: { type: 'yarn', factor: 2 } }, /'longrope'/],
    [
      'phi3',
      { rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1] } },
      /must have 3 factors/,
    ],
    ['phi3', { partial_rotary_factor: 0.2 }, /must be even/],
    ['gemma3_text', { use_bidirectional_attention: true }, /use_bidirectional_attention/],
    ['gemma2', { sliding_window: null }, /needs a sliding_window/],
  ])('%s with %j', (modelType, fields, message) => expect(() => parse(modelType, fields)).toThrow(message));
});
