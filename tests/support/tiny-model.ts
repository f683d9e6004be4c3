import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { initialize } from '../../src/models/bind-checkpoint.ts';
import { describeForTask } from './open-for-task.ts';
import { writeSafetensors } from './safetensors-file.ts';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const PIECES =
  'the a cat dog bird fish sat ran flew swam good bad very not on mat log ##s ##ed ##ly . ,'.split(' ');

export const TINY_CONFIG = {
  model_type: 'bert',
  vocab_size: SPECIAL.length + PIECES.length,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 128,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.1,
};

/**
 * Writes a model folder as downloaded from the Hub: a BERT of 2 layers, 32 wide, with random weights and a vocabulary
 * of a few words. It has no classifier, like most pretrained models.
 */
export function writeTinyModel(
  folder: string,
  config: Partial<typeof TINY_CONFIG> & Record<string, unknown> = {},
): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('config.json', { ...TINY_CONFIG, ...config });
  write('tokenizer.json', TINY_TOKENIZER);
  write('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    pad_token: '[PAD]',
    model_max_length: 128,
  });
  const { parameters } = describeForTask(folder, 'single_label_classification');
  const tensors = [...parameters]
    .filter(([name]) => !name.startsWith('classifier.'))
    .map(([name, shape]): [string, StoredTensor] => [
      name,
      { dtype: 'F32', shape: [...shape], data: initialize(name, shape, 7, TINY_CONFIG.initializer_range) },
    ]);
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
}

const special = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
const sequence = (id: string, type_id = 0) => ({ Sequence: { id, type_id } });

/** The `added_tokens` of a tokenizer.json whose first ids are these. */
export function specialTokens(contents: readonly string[]): object[] {
  const plain = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  return contents.map((content, id) => ({ id, content, ...plain }));
}

/** The content of its tokenizer.json. */
export const TINY_TOKENIZER = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: specialTokens(SPECIAL),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]'), sequence('A'), special('[SEP]')],
    pair: [special('[CLS]'), sequence('A'), special('[SEP]'), sequence('B', 1), special('[SEP]', 1)],
    special_tokens: Object.fromEntries(
      ['[CLS]', '[SEP]'].map((id) => [id, { id, ids: [SPECIAL.indexOf(id)], tokens: [id] }]),
    ),
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries([...SPECIAL, ...PIECES].map((piece, id) => [piece, id])),
  },
};
