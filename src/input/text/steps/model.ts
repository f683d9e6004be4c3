import { bpe } from './bpe.ts';
import type { ModelConfig } from './tokenizer-json.ts';
import { unigram } from './unigram.ts';
import type { Vocabulary } from './vocabulary.ts';
import { wordPiece } from './word-piece.ts';

/** A token of a piece of text. It represents the UTF-16 units [from, to). */
export interface PieceToken {
  id: number;
  /** The token as the Rust library shows it. An unknown token may be shown as the text itself. */
  token: string;
  from: number;
  to: number;
}

/** The third step: splits a piece into tokens. */
export interface Model {
  vocabulary: Vocabulary;
  tokenize(piece: string): PieceToken[];
}

/**
 * Builds the step of a `model` section.
 *
 * @throws Error for an inconsistent section
 */
export function model(config: ModelConfig): Model {
  switch (config.type) {
    case 'BPE':
      return bpe(config);
    case 'Unigram':
      return unigram(config);
    case 'WordPiece':
      return wordPiece(config);
  }
}
