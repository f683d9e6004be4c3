import { bpe } from './bpe.ts';
import type { TokenizerModel } from './tokenizer-json.ts';
import { unigram } from './unigram.ts';
import type { Model } from './vocabulary.ts';
import { wordPiece } from './word-piece.ts';

/**
 * Builds the step of a `model` section.
 *
 * @throws Error for an inconsistent section
 */
export function model(config: TokenizerModel): Model {
  switch (config.type) {
    case 'BPE':
      return bpe(config);
    case 'Unigram':
      return unigram(config);
    case 'WordPiece':
      return wordPiece(config);
  }
}
