const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** The special tokens, which come first in a vocabulary. */
export const SPECIAL_TOKENS: readonly string[] = SPECIAL;

export const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;

/** Both files of a lowercasing BERT tokenizer with the given pieces. */
export function tokenizerFiles(
  vocabulary: readonly string[],
  maxLength: number,
): Record<(typeof TOKENIZER_FILES)[number], object> {
  const vocab = Object.fromEntries(vocabulary.map((piece, id) => [piece, id]));
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const template = (token: string) => ({ id: token, ids: [vocab[token]], tokens: [token] });
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIAL.map((content) => ({
        id: vocab[content],
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
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
        single: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0)],
        pair: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0), text('B', 1), special('[SEP]', 1)],
        special_tokens: { '[CLS]': template('[CLS]'), '[SEP]': template('[SEP]') },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab,
      },
    },
    'tokenizer_config.json': {
      do_lower_case: true,
      unk_token: '[UNK]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      cls_token: '[CLS]',
      mask_token: '[MASK]',
      tokenize_chinese_chars: true,
      strip_accents: null,
      model_max_length: maxLength,
      tokenizer_class: 'BertTokenizer',
    },
  };
}
