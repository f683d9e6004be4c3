import type { AddedToken, TokenizerJson, TokenizerModel } from '../steps/tokenizer-json.ts';
import {
  PIECE_TYPE,
  readSentencepiece,
  type SentencePiece,
  type SentencepieceModel,
} from './read-sentencepiece.ts';
import { type TokenizerClass, template } from './slow-tokenizer.ts';

const MARK = '▁';
const plain = (content: string) => ({ content });

export const debertaV2Tokenizer: TokenizerClass = {
  special: {
    bos_token: plain('[CLS]'),
    eos_token: plain('[SEP]'),
    unk_token: { content: '[UNK]', normalized: true },
    sep_token: plain('[SEP]'),
    pad_token: plain('[PAD]'),
    cls_token: plain('[CLS]'),
    mask_token: plain('[MASK]'),
  },
  convert(slow) {
    const spm = readSentencepiece(slow);
    const { do_lower_case, split_by_punct } = slow.config;
    const normalizers: Normalizers = [
      ...(do_lower_case === true ? [{ type: 'Lowercase' as const }] : []),
      { type: 'Strip', strip_left: true, strip_right: true },
      ...charsmapNormalizer(spm),
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
    ];
    const metaspace = {
      type: 'Metaspace' as const,
      replacement: MARK,
      prepend_scheme: 'always' as const,
      split: true,
    };
    const pretokenizers =
      split_by_punct === true
        ? [{ type: 'Punctuation' as const, behavior: 'Isolated' as const }, metaspace]
        : [metaspace];
    const vocab = spm.pieces.map(({ piece, score }): ScoredToken => [piece, score]);
    const ids = new Map(vocab.map(([token], id) => [token, id]));
    let next = vocab.length;
    const added = sentencepieceTokens(spm, (piece) => ids.get(piece) ?? next++);
    const idOf = (token: string) => ids.get(token) ?? added.find(({ content }) => content === token)?.id;
    return {
      added_tokens: added,
      normalizer: { type: 'Sequence', normalizers },
      pre_tokenizer: { type: 'Sequence', pretokenizers },
      model: sentencepieceModel(spm, vocab),
      post_processor: template('[CLS] $A [SEP]', '[CLS] $A [SEP] $B:1 [SEP]:1', idOf),
      decoder: { type: 'Metaspace', replacement: MARK, prepend_scheme: prependScheme(slow.config) },
    };
  },
};

/**
 * Maximum number of merges, twice Gemma's. A few megabytes of nested pieces would otherwise give hundreds of millions.
 */
const MAX_MERGES = 2 ** 20;

type ScoredToken = [token: string, score: number];
type Normalizers = NonNullable<TokenizerJson['normalizer']>[];

/** The `model` section of the tokenizer.json that a sentencepiece model is converted to. */
function sentencepieceModel(spm: SentencepieceModel, vocab: ScoredToken[]): TokenizerModel {
  if (spm.model === 'unigram') return { type: 'Unigram', vocab, unk_id: spm.unkId, byte_fallback: false };
  return {
    type: 'BPE',
    vocab: Object.fromEntries(vocab.map(([token], id) => [token, id])),
    merges: generateMerges(spm.pieces, vocab),
    unk_token: spm.unkPiece,
    fuse_unk: true,
    byte_fallback: false,
  };
}

/** Tokens that are matched before anything else: control symbols and user-defined symbols. */
function sentencepieceTokens(spm: SentencepieceModel, idOf: (piece: string) => number): AddedToken[] {
  return spm.pieces
    .filter(({ type }) => type === PIECE_TYPE.control || type === PIECE_TYPE.userDefined)
    .map(({ piece, type }) => ({
      id: idOf(piece),
      content: piece,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: type === PIECE_TYPE.control,
    }));
}

/** The model's own normalization as a section. Empty if text is not normalized. */
function charsmapNormalizer({ charsmap }: SentencepieceModel): Normalizers {
  if (charsmap.length === 0) return [];
  let binary = '';
  for (const byte of charsmap) binary += String.fromCharCode(byte);
  return [{ type: 'Precompiled', precompiled_charsmap: btoa(binary) }];
}

/** When to prepend a space to a text, according to tokenizer_config.json. */
function prependScheme({ legacy, add_prefix_space }: Readonly<Record<string, unknown>>) {
  if (add_prefix_space === false) return 'never' as const;
  return legacy === false ? ('first' as const) : ('always' as const);
}

/**
 * Derives the merges of a sentencepiece BPE model: every split of a token into two pieces. They are sorted by score,
 * then by the length of the left side, in descending order.
 *
 * @throws Error for too many merges
 */
function generateMerges(pieces: readonly SentencePiece[], vocab: readonly ScoredToken[]): [string, string][] {
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]));
  let count = 0;
  const merges = [...new Map(vocab)].flatMap(([token, score]) => {
    const characters = [...token];
    const cuts = [];
    for (let at = 1, units = 0; at < characters.length; at++) {
      units += characters[at - 1]!.length;
      const left = token.slice(0, units);
      if (!ids.has(left)) continue;
      const right = token.slice(units);
      if (!ids.has(right)) continue;
      if (++count > MAX_MERGES) throw new Error(`more than ${MAX_MERGES} merges of its pieces`);
      cuts.push({ left, right, score, lengths: [at, characters.length - at] });
    }
    return cuts.sort((a, b) => ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!);
  });
  merges.sort((a, b) => b.score - a.score || b.lengths[0]! - a.lengths[0]! || b.lengths[1]! - a.lengths[1]!);
  return merges.map(({ left, right }) => [left, right]);
}
