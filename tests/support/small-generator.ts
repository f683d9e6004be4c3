import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { tokenModel } from '../../src/program/objectives/token-model.ts';
import { elementCount } from '../../src/support/arrays.ts';
import { Random } from '../../src/support/random.ts';
import { storedName } from '../../src/use/trained/full-model.ts';
import { describeIn } from './describe-in.ts';
import { writeSafetensors } from './safetensors-file.ts';
import { specialTokens } from './tiny-model.ts';

const SPECIAL = ['<pad>', '<s>', '</s>'];
const MERGES = ['t h', 'th e', 'Ġ the', 'c a', 'ca t'];

/** The characters that represent the 256 bytes in byte-level tokenizers. */
function byteCharacters(): string[] {
  const isPlain = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173 && byte < 256);
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(isPlain(byte) ? byte : 256 + others++),
  );
}

const VOCABULARY = [...SPECIAL, ...byteCharacters(), ...MERGES.map((pair) => pair.replace(' ', ''))];
const TOKENS = { pad_token_id: 0, bos_token_id: 1, eos_token_id: 2 };

const decoder = {
  hidden_size: 32,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
};

/** How the configs differ between the models. Attention windows are shorter than the texts. */
const CONFIGS = {
  llama: decoder,
  mistral: { ...decoder, sliding_window: 4 },
  qwen3: { ...decoder, head_dim: 8 },
  gemma2: { ...decoder, head_dim: 8, sliding_window: 4, query_pre_attn_scalar: 8 },
  gemma3_text: {
    ...decoder,
    head_dim: 8,
    sliding_window: 3,
    sliding_window_pattern: 2,
    query_pre_attn_scalar: 8,
  },
  smollm3: { ...decoder, no_rope_layer_interval: 2 },
  phi3: { ...decoder, partial_rotary_factor: 0.5, sliding_window: 4 },
  gpt_neox: { ...decoder, num_key_value_heads: 4, rotary_pct: 0.5 },
  gpt2: { n_embd: 32, n_head: 4, n_layer: 2, n_positions: 64 },
  bart: {
    d_model: 32,
    encoder_layers: 2,
    decoder_layers: 2,
    encoder_attention_heads: 4,
    decoder_attention_heads: 4,
    encoder_ffn_dim: 48,
    decoder_ffn_dim: 40,
    max_position_embeddings: 64,
    decoder_start_token_id: 2,
    forced_eos_token_id: null,
    is_encoder_decoder: true,
  },
  // The largest distance that T5 distinguishes is shorter than the texts.
  t5: {
    d_model: 32,
    d_kv: 12,
    d_ff: 40,
    num_layers: 2,
    num_heads: 4,
    relative_attention_num_buckets: 8,
    relative_attention_max_distance: 10,
    feed_forward_proj: 'gated-gelu',
    tie_word_embeddings: false,
    decoder_start_token_id: 0,
    is_encoder_decoder: true,
  },
};
const ENCODER_DECODERS: readonly string[] = ['bart', 't5'];

export type SmallGenerator = keyof typeof CONFIGS;
export const SMALL_GENERATORS = Object.keys(CONFIGS) as SmallGenerator[];

/** A template like those of chat models on the Hub. The first message must be a user's. */
const CHAT_TEMPLATE = `{% for message in messages %}{% if loop.first and message.role == 'assistant' %}\
{{ raise_exception('A user speaks first') }}{% endif %}{{ bos_token + message.role + ':' + message.content + eos_token }}\
{% endfor %}{% if add_generation_prompt %}{{ bos_token + 'assistant:' }}{% endif %}`;

/**
 * Writes a model folder as downloaded from the Hub: a language model of 2 layers, 32 wide, with a byte-level tokenizer
 * and a chat template. Its random weights are large enough for texts that do not repeat themselves.
 */
export function writeSmallGenerator(folder: string, type: SmallGenerator, changes: object = {}): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('config.json', {
    model_type: type,
    vocab_size: VOCABULARY.length,
    ...TOKENS,
    ...CONFIGS[type],
    ...changes,
  });
  write('tokenizer.json', tokenizer(ENCODER_DECODERS.includes(type)));
  write('tokenizer_config.json', {
    pad_token: '<pad>',
    bos_token: '<s>',
    eos_token: '</s>',
    chat_template: CHAT_TEMPLATE,
  });
  const head = ENCODER_DECODERS.includes(type) ? 'SEQ_2_SEQ_LM' : 'CAUSAL_LM';
  const model = describeIn(folder, tokenModel(head));
  const tensors = [...model.parameters, ...model.buffers].map(([inMemory, shape]): [string, StoredTensor] => {
    const name = storedName(model, inMemory);
    return [name, { dtype: 'F32', shape: [...shape], data: weight(type, name, shape) }];
  });
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
}

function weight(type: SmallGenerator, name: string, shape: readonly number[]): Float32Array {
  const isVector = shape.length === 1;
  const isNorm = isVector && name.endsWith('.weight');
  const deviation = isVector
    ? 0.1
    : /embed|wte|wpe|shared/.test(name) || (type === 't5' && name === 'lm_head.weight')
      ? 0.15
      : 0.5;
  const values = new Random(5, name).normals(elementCount(shape), deviation);
  return isNorm ? values.map((value) => 1 + value) : values;
}

/** @param isFramed whether texts are between `<s>` and `</s>`; otherwise they only begin with `<s>` */
function tokenizer(isFramed: boolean): object {
  const special = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const frame = [
    special('<s>'),
    { Sequence: { id: 'A', type_id: 0 } },
    ...(isFramed ? [special('</s>')] : []),
  ];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens(SPECIAL),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: frame,
      pair: [...frame, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: Object.fromEntries(
        ['<s>', '</s>'].map((id) => [id, { id, ids: [SPECIAL.indexOf(id)], tokens: [id] }]),
      ),
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(VOCABULARY.map((token, id) => [token, id])),
      merges: MERGES,
    },
  };
}
