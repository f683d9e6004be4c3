import { InvalidFile } from '../../../support/user-error.ts';
import type {
  AddedToken,
  PostProcessorConfig,
  TokenizerJson,
  TokenizerModel,
} from '../steps/tokenizer-json.ts';
import {
  PIECE_TYPE,
  readSentencepiece,
  type SentencePiece,
  type SentencepieceModel,
} from './read-sentencepiece.ts';
import { type SlowTokenizer, type TokenizerClass, template } from './slow-tokenizer.ts';

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
    const metaspace = createMetaspace('always');
    const pretokenizers =
      split_by_punct === true
        ? [{ type: 'Punctuation' as const, behavior: 'Isolated' as const }, metaspace]
        : [metaspace];
    return assembled(slow, spm, piecesOf(spm), spm.unkId, {
      normalizer: { type: 'Sequence', normalizers },
      pre_tokenizer: { type: 'Sequence', pretokenizers },
      post: (idOf) => template('[CLS] $A [SEP]', '[CLS] $A [SEP] $B:1 [SEP]:1', idOf),
    });
  },
};

export const xlmRobertaTokenizer: TokenizerClass = {
  special: {
    bos_token: plain('<s>'),
    eos_token: plain('</s>'),
    unk_token: plain('<unk>'),
    sep_token: plain('</s>'),
    pad_token: plain('<pad>'),
    cls_token: plain('<s>'),
    mask_token: { content: '<mask>', lstrip: true },
  },
  convert(slow) {
    const spm = readSentencepiece(slow);
    const vocab: ScoredToken[] = [
      ...['<s>', '<pad>', '</s>', '<unk>'].map((token): ScoredToken => [token, 0]),
      ...piecesOf(spm).slice(3),
      ['<mask>', 0],
    ];
    return assembled(slow, spm, vocab, 3, {
      normalizer: spacesJoined(spm),
      pre_tokenizer: createMetaspace('always'),
      post: (idOf) => template('<s> $A </s>', '<s> $A </s> </s> $B </s>', idOf),
    });
  },
};

/** T5's number of extra tokens, if tokenizer_config.json does not set it. */
const EXTRA_IDS = 100;

export const t5Tokenizer: TokenizerClass = {
  special: { eos_token: plain('</s>'), unk_token: plain('<unk>'), pad_token: plain('<pad>') },
  additional: (slow) => Array.from({ length: extraIds(slow) }, (_, i) => `<extra_id_${i}>`),
  convert(slow) {
    const spm = readSentencepiece(slow);
    const count = extraIds(slow);
    const extra = Array.from({ length: count }, (_, i): ScoredToken => [`<extra_id_${count - 1 - i}>`, 0]);
    return assembled(slow, spm, [...piecesOf(spm), ...extra], spm.unkId, {
      normalizer: spacesJoined(spm),
      pre_tokenizer: createMetaspace(prependScheme(slow.config)),
      post: (idOf) => template('$A </s>', '$A </s> $B </s>', idOf),
    });
  },
};

function extraIds({ config, where }: SlowTokenizer): number {
  const { extra_ids: count = EXTRA_IDS } = config;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= 10_000) return count;
  const expected = 'a whole number from 0 to 10000';
  const got = JSON.stringify(count);
  throw new InvalidFile({ where: where('tokenizer_config.json'), key: 'extra_ids', expected, got });
}

export const llamaTokenizer: TokenizerClass = {
  special: { bos_token: plain('<s>'), eos_token: plain('</s>'), unk_token: plain('<unk>') },
  convert(slow, tokens) {
    const spm = readSentencepiece(slow);
    const { config } = slow;
    const isLegacy = config.legacy !== false;
    const hasPrefix = config.add_prefix_space !== false;
    const vocab = piecesOf(spm).map(([token, score], id): ScoredToken => [token, id < 3 ? 0 : score]);
    const bos = config.add_bos_token !== false && tokens.bos_token ? tokens.bos_token : '';
    const eos = config.add_eos_token === true && tokens.eos_token ? tokens.eos_token : '';
    const around = (text: string, type: number) =>
      [bos && `${bos}:${type}`, `${text}:${type}`, eos && `${eos}:${type}`].filter(Boolean).join(' ');
    const joined: Normalizers = [{ type: 'Replace', pattern: { String: ' ' }, content: MARK }];
    return assembled(slow, spm, vocab, 0, {
      normalizer: isLegacy
        ? {
            type: 'Sequence',
            normalizers: hasPrefix ? [{ type: 'Prepend', prepend: MARK }, ...joined] : joined,
          }
        : null,
      pre_tokenizer: isLegacy ? null : { ...createMetaspace(prependScheme(config)), split: false },
      byteFallback: true,
      post: (idOf) => template(around('$A', 0), `${around('$A', 0)} ${around('$B', 1)}`, idOf),
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: MARK }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(hasPrefix ? [{ type: 'Strip' as const, content: ' ', start: 1, stop: 0 }] : []),
        ],
      },
    });
  },
};

interface Sections {
  normalizer: TokenizerJson['normalizer'];
  pre_tokenizer: TokenizerJson['pre_tokenizer'];
  byteFallback?: boolean;
  post: (idOf: (token: string) => number | undefined) => PostProcessorConfig;
  decoder?: TokenizerJson['decoder'];
}

function assembled(
  slow: SlowTokenizer,
  spm: SentencepieceModel,
  vocab: ScoredToken[],
  unkId: number,
  { normalizer, pre_tokenizer, byteFallback, post, decoder }: Sections,
): TokenizerJson {
  const ids = new Map(vocab.map(([token], id) => [token, id]));
  let next = vocab.length;
  const added = sentencepieceTokens(spm, (piece) => ids.get(piece) ?? next++);
  const idOf = (token: string) => ids.get(token) ?? added.find(({ content }) => content === token)?.id;
  return {
    added_tokens: added,
    normalizer,
    pre_tokenizer,
    model: sentencepieceModel(spm, { vocab, unkId, byteFallback }),
    post_processor: post(idOf),
    decoder: decoder ?? {
      type: 'Metaspace',
      replacement: MARK,
      prepend_scheme: prependScheme(slow.config),
    },
  };
}

const piecesOf = (spm: SentencepieceModel) =>
  spm.pieces.map(({ piece, score }): ScoredToken => [piece, score]);

function createMetaspace(prepend_scheme: 'always' | 'first' | 'never') {
  return { type: 'Metaspace' as const, replacement: MARK, prepend_scheme, split: true };
}

function spacesJoined(spm: SentencepieceModel): TokenizerJson['normalizer'] {
  return {
    type: 'Sequence',
    normalizers: [
      ...charsmapNormalizer(spm),
      { type: 'Strip', strip_left: false, strip_right: true },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: MARK },
    ],
  };
}

/**
 * Maximum number of merges, twice Gemma's. A few megabytes of nested pieces would otherwise give hundreds of millions.
 */
const MAX_MERGES = 2 ** 20;

type ScoredToken = [token: string, score: number];
type Normalizers = NonNullable<TokenizerJson['normalizer']>[];

/** The parts of a converted sentencepiece model that differ between classes. */
interface Parts {
  vocab: ScoredToken[];
  unkId: number;
  byteFallback?: boolean;
}

/** The `model` section of the tokenizer.json that a sentencepiece model is converted to. */
function sentencepieceModel(
  spm: SentencepieceModel,
  { vocab, unkId, byteFallback = false }: Parts,
): TokenizerModel {
  if (spm.model === 'unigram') return { type: 'Unigram', vocab, unk_id: unkId, byte_fallback: byteFallback };
  return {
    type: 'BPE',
    vocab: Object.fromEntries(vocab.map(([token], id) => [token, id])),
    merges: generateMerges(spm.pieces, vocab),
    unk_token: spm.unkPiece,
    fuse_unk: true,
    byte_fallback: byteFallback,
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
