import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { initialize } from '../../src/models/bind-checkpoint.ts';
import type { HeadKind } from '../../src/models/heads/registry.ts';
import { tokenModel } from '../../src/program/objectives/token-model.ts';
import { describeIn } from './describe-in.ts';
import { languageFixture } from './language-fixtures.ts';
import { writeSafetensors } from './safetensors-file.ts';
import { TINY_CONFIG, TINY_TOKENIZER } from './tiny-model.ts';

const MASK = '[MASK]';
const maskId = Object.keys(TINY_TOKENIZER.model.vocab).length;

interface Files {
  head: HeadKind;
  config: object;
  tokenizer: object;
  tokenizerConfig: object;
}

const CHATML =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

const LLAMA = languageFixture('llama3');
const GPT2 = languageFixture('gpt2');

const FAMILIES = {
  llama: {
    head: 'CAUSAL_LM',
    config: {
      model_type: 'llama',
      vocab_size: 420,
      hidden_size: 32,
      intermediate_size: 48,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      max_position_embeddings: 256,
    },
    tokenizer: LLAMA,
    tokenizerConfig: { bos_token: '<|begin_of_text|>', eos_token: '<|end_of_text|>', chat_template: CHATML },
  },
  gpt2: {
    head: 'CAUSAL_LM',
    config: { model_type: 'gpt2', vocab_size: 420, n_embd: 32, n_layer: 2, n_head: 4, n_positions: 128 },
    tokenizer: GPT2,
    tokenizerConfig: { eos_token: '<|endoftext|>' },
  },
  bart: {
    head: 'SEQ_2_SEQ_LM',
    config: {
      model_type: 'bart',
      vocab_size: 420,
      d_model: 32,
      max_position_embeddings: 64,
      encoder_layers: 1,
      encoder_attention_heads: 4,
      encoder_ffn_dim: 48,
      decoder_layers: 1,
      decoder_attention_heads: 4,
      decoder_ffn_dim: 48,
      decoder_start_token_id: 2,
      eos_token_id: 2,
    },
    tokenizer: GPT2,
    tokenizerConfig: { eos_token: '<|endoftext|>' },
  },
  bert: {
    head: 'MASKED_LM',
    config: { ...TINY_CONFIG, vocab_size: maskId + 1 },
    tokenizer: {
      ...TINY_TOKENIZER,
      added_tokens: [
        ...TINY_TOKENIZER.added_tokens,
        { ...TINY_TOKENIZER.added_tokens[0], id: maskId, content: MASK },
      ],
      model: { ...TINY_TOKENIZER.model, vocab: { ...TINY_TOKENIZER.model.vocab, [MASK]: maskId } },
    },
    tokenizerConfig: { pad_token: '[PAD]', mask_token: MASK, model_max_length: 128 },
  },
} as const satisfies Record<string, Files>;

export type TinyFamily = keyof typeof FAMILIES;

/**
 * Writes a model folder with random weights and a tokenizer for English. `config` replaces fields of its config.json.
 */
export function writeTinyTextModel(folder: string, family: TinyFamily, config: object = {}): void {
  const files: Files = FAMILIES[family];
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('config.json', { ...files.config, ...config });
  write('tokenizer.json', files.tokenizer);
  write('tokenizer_config.json', files.tokenizerConfig);
  const { parameters } = describeIn(folder, tokenModel(files.head));
  const tensors = [...parameters].map(([name, shape]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [...shape], data: initialize(name, shape, 7, 0.1) },
  ]);
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
}
