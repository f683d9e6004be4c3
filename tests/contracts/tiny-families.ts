import { modelFamily } from '../../src/models/registry.ts';
import type { TaskModel } from '../../src/program/objectives/task-model.ts';
import { taskNamed } from '../../src/tasks/registry.ts';

/** Shapes of a few families that differ in what methods use: norms, biases, transposed matrices, two stacks. */
const SHAPES = {
  bert: { hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 24 },
  'deberta-v2': {
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 24,
    relative_attention: true,
    pos_att_type: ['c2p', 'p2c'],
  },
  gpt2: { n_embd: 16, n_layer: 1, n_head: 2, n_positions: 32, pad_token_id: 0 },
  bart: {
    d_model: 16,
    encoder_layers: 1,
    decoder_layers: 1,
    encoder_attention_heads: 2,
    decoder_attention_heads: 2,
    encoder_ffn_dim: 24,
    decoder_ffn_dim: 24,
    max_position_embeddings: 32,
    eos_token_id: 2,
  },
  qwen2: {
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    intermediate_size: 24,
    pad_token_id: 0,
  },
};

export const FAMILIES = Object.keys(SHAPES) as (keyof typeof SHAPES)[];

/** A classifier of three classes of a family, 16 wide; it has no weights. */
export function tinyClassifier(family: keyof typeof SHAPES): TaskModel {
  const { definition, config } = familyOf(family);
  return taskNamed('single_label_classification').build(['a', 'b', 'c'])(definition, config);
}

/** The models of a family that a method may be for: a classifier, and if it is a decoder, a language model. */
export function tinyModels(family: keyof typeof SHAPES): TaskModel[] {
  const { definition, config } = familyOf(family);
  const writer = definition.isDecoder ? [taskNamed('causal_lm').build([])(definition, config)] : [];
  return [tinyClassifier(family), ...writer];
}

function familyOf(family: keyof typeof SHAPES) {
  const json = { model_type: family, vocab_size: 24, initializer_range: 0.1, ...SHAPES[family] };
  const definition = modelFamily(json, family);
  return { definition, config: definition.parseConfig(json, family) };
}
