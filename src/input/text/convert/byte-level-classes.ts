import { InvalidFile } from '../../../support/user-error.ts';
import type { TokenizerJson } from '../steps/tokenizer-json.ts';
import {
  jsonFile,
  type SlowTokenizer,
  type TokenizerClass,
  template,
  tokenizerText,
} from './slow-tokenizer.ts';

const END = '<|endoftext|>';
/** A token that is matched in normalized text. */
const normalized = (content: string) => ({ content, normalized: true });

export const gpt2Tokenizer: TokenizerClass = {
  special: { bos_token: normalized(END), eos_token: normalized(END), unk_token: normalized(END) },
  convert(slow, { bos_token }) {
    const json = byteLevel(slow);
    const { vocab } = json.model as { vocab: Record<string, number> };
    if (slow.config.add_bos_token === true && bos_token)
      json.post_processor = template(`${bos_token} $A`, `${bos_token} $A $B:1`, (token) => vocab[token]);
    return json;
  },
};

export const robertaTokenizer: TokenizerClass = {
  special: {
    bos_token: normalized('<s>'),
    eos_token: normalized('</s>'),
    unk_token: normalized('<unk>'),
    sep_token: normalized('</s>'),
    pad_token: normalized('<pad>'),
    cls_token: normalized('<s>'),
    mask_token: { content: '<mask>', lstrip: true },
  },
  convert(slow, { sep_token = '</s>', cls_token = '<s>' }) {
    const json = byteLevel(slow);
    const { vocab } = json.model as { vocab: Record<string, number> };
    const withId = (token: string): [string, number] => {
      if (Object.hasOwn(vocab, token)) return [token, vocab[token]!];
      throw new InvalidFile({ where: slow.where('vocab.json'), fault: `has no token ${token}` });
    };
    json.post_processor = {
      type: 'RobertaProcessing',
      sep: withId(sep_token),
      cls: withId(cls_token),
      trim_offsets: slow.config.trim_offsets !== false,
      add_prefix_space: slow.config.add_prefix_space === true,
    };
    return json;
  },
};

/** GPT-2's format: vocab.json and merges.txt. The first line of merges.txt is skipped. */
function byteLevel(slow: SlowTokenizer): TokenizerJson {
  const vocab = jsonFile(slow, 'vocab.json') as Record<string, number>;
  const lines = tokenizerText(slow, 'merges.txt').split('\n').slice(1, -1);
  const merges = [...new Set(lines.map((line) => line.trim().replace(/\s+/g, ' ')))];
  const step = {
    type: 'ByteLevel' as const,
    add_prefix_space: slow.config.add_prefix_space === true,
    use_regex: true,
  };
  return {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { ...step, trim_offsets: true },
    model: {
      type: 'BPE',
      vocab,
      merges,
      unk_token: null,
      fuse_unk: false,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
    },
    post_processor: { ...step, trim_offsets: false },
    decoder: { type: 'ByteLevel' },
  };
}
