import { InvalidFile } from '../../../support/user-error.ts';
import type { PostProcessorConfig, TokenizerJson } from '../steps/tokenizer-json.ts';
import { type SlowTokenizer, type TokenizerClass, template, tokenizerText } from './slow-tokenizer.ts';

/** Maximum number of lines, eight times the largest known vocabulary. */
const MAX_LINES = 2 ** 21;

const plain = (content: string) => ({ content });

export const bertTokenizer: TokenizerClass = {
  special: {
    unk_token: plain('[UNK]'),
    sep_token: plain('[SEP]'),
    pad_token: plain('[PAD]'),
    cls_token: plain('[CLS]'),
    mask_token: plain('[MASK]'),
  },
  convert(slow, { unk_token = '[UNK]', cls_token: cls = '[CLS]', sep_token: sep = '[SEP]' }) {
    const frame = (vocab: Vocabulary) =>
      template(`${cls} $A ${sep}`, `${cls} $A ${sep} $B:1 ${sep}:1`, (token) => vocab[token]);
    return wordPiece(slow, unk_token, [cls, sep], frame);
  },
};

/** BERT's class, but with RoBERTa's special tokens around texts. */
export const mpnetTokenizer: TokenizerClass = {
  special: {
    bos_token: plain('<s>'),
    eos_token: plain('</s>'),
    unk_token: plain('[UNK]'),
    sep_token: plain('</s>'),
    pad_token: plain('<pad>'),
    cls_token: plain('<s>'),
    mask_token: { content: '<mask>', lstrip: true },
  },
  convert(slow, { unk_token = '[UNK]', cls_token: cls = '<s>', sep_token: sep = '</s>' }) {
    return wordPiece(slow, unk_token, [cls, sep], (vocab) => ({
      type: 'RobertaProcessing',
      sep: [sep, vocab[sep]!],
      cls: [cls, vocab[cls]!],
      trim_offsets: true,
      add_prefix_space: false,
    }));
  },
};

type Vocabulary = Readonly<Record<string, number>>;

/**
 * Converts the vocabulary and settings of a WordPiece tokenizer.
 *
 * @param framing the tokens around texts
 * @param frame the post-processor that adds them
 */
function wordPiece(
  slow: SlowTokenizer,
  unk_token: string,
  framing: readonly string[],
  frame: (vocab: Vocabulary) => PostProcessorConfig,
): TokenizerJson {
  const lines = tokenizerText(slow, 'vocab.txt').split('\n', MAX_LINES + 2);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_LINES) {
    throw new InvalidFile({ where: slow.where('vocab.txt'), fault: `has more than ${MAX_LINES} lines` });
  }
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  const missing = [unk_token, ...framing].find((token) => !Object.hasOwn(vocab, token));
  if (missing !== undefined)
    throw new InvalidFile({ where: slow.where('vocab.txt'), fault: `has no line ${missing}` });
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = slow.config;
  return {
    added_tokens: [],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: tokenize_chinese_chars !== false,
      strip_accents: typeof strip_accents === 'boolean' ? strip_accents : null,
      lowercase: do_lower_case !== false,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      vocab,
      unk_token,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
    post_processor: frame(vocab),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  };
}
