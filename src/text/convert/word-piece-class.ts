import { UserError } from '../../support/user-error.ts';
import type { TokenizerClass } from './slow-tokenizer.ts';
import { template } from './template.ts';
import { textFile } from './text-file.ts';

/** Eight times the largest known vocabulary. */
const MAX_LINES = 2 ** 21;

const plain = (content: string) => ({ content });

export const bert: TokenizerClass = {
  special: {
    ...{ unk_token: plain('[UNK]'), sep_token: plain('[SEP]'), pad_token: plain('[PAD]') },
    ...{ cls_token: plain('[CLS]'), mask_token: plain('[MASK]') },
  },
  convert(slow, { unk_token = '[UNK]', cls_token = '[CLS]', sep_token = '[SEP]' }) {
    const lines = textFile(slow, 'vocab.txt').split('\n', MAX_LINES + 2);
    if (lines.at(-1) === '') lines.pop();
    if (lines.length > MAX_LINES) {
      const expected = `at most ${MAX_LINES} lines`;
      throw new UserError({ where: slow.where('vocab.txt'), expected, got: 'more' });
    }
    const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
    const missing = [unk_token, cls_token, sep_token].find((token) => !Object.hasOwn(vocab, token));
    if (missing !== undefined)
      throw new UserError({ where: slow.where('vocab.txt'), expected: `a line ${missing}`, got: 'none' });
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
        ...{ type: 'WordPiece', vocab, unk_token },
        ...{ continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
      },
      post_processor: template(
        `${cls_token} $A ${sep_token}`,
        `${cls_token} $A ${sep_token} $B:1 ${sep_token}:1`,
        (token) => vocab[token],
      ),
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    };
  },
};
