import type { AddedToken, ModelConfig, TokenizerJson } from '../steps/tokenizer-json.ts';
import { generateMerges } from './generate-merges.ts';
import { PIECE_TYPE, type SentencepieceModel } from './read-sentencepiece.ts';

export type ScoredToken = [token: string, score: number];
export type Normalizers = NonNullable<TokenizerJson['normalizer']>[];

/** The parts of a converted sentencepiece model that differ between classes. */
interface Parts {
  vocab: ScoredToken[];
  unkId: number;
  byteFallback?: boolean;
}

/** The `model` section of the tokenizer.json that a sentencepiece model is converted to. */
export function sentencepieceModel(
  spm: SentencepieceModel,
  { vocab, unkId, byteFallback = false }: Parts,
): ModelConfig {
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
export function sentencepieceTokens(spm: SentencepieceModel, idOf: (piece: string) => number): AddedToken[] {
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
export function charsmapNormalizer({ charsmap }: SentencepieceModel): Normalizers {
  if (charsmap.length === 0) return [];
  let binary = '';
  for (const byte of charsmap) binary += String.fromCharCode(byte);
  return [{ type: 'Precompiled', precompiled_charsmap: btoa(binary) }];
}

/** When to prepend a space to a text, according to tokenizer_config.json. */
export function prependScheme({ legacy, add_prefix_space }: Readonly<Record<string, unknown>>) {
  if (add_prefix_space === false) return 'never' as const;
  return legacy === false ? ('first' as const) : ('always' as const);
}
