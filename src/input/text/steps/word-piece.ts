import { InvalidData, type UserError } from '../../../support/user-error.ts';
import type { WordPieceConfig } from './tokenizer-json.ts';
import { createVocabulary, type Model, type PieceToken } from './vocabulary.ts';

/** Maximum number of vocabulary lookups for one word. They take a second. */
const MAX_LOOKS = 2 ** 22;

/** WordPiece: repeatedly takes the longest token of the vocabulary with which the rest of a word begins. */
export function wordPiece(config: WordPieceConfig): Model {
  const vocabulary = createVocabulary(config.vocab);
  const unknown = vocabulary.idOf(config.unk_token);
  if (unknown === undefined) throw new Error(`the vocabulary lacks the unk_token ${config.unk_token}`);
  const { continuing_subword_prefix: prefix, max_input_chars_per_word: longest } = config;
  // A longer prefix cannot be a token.
  const longestToken = vocabulary.tokens.reduce((most, token = '') => Math.max(most, token.length), 0);

  return {
    vocabulary,
    tokenize(word) {
      const whole = [{ id: unknown, token: config.unk_token, from: 0, to: word.length }];
      if (word.length > longest && [...word].length > longest) return whole;
      if (word.length * Math.min(longestToken, word.length) > MAX_LOOKS) throw tooLong(word, longest);
      const tokens: PieceToken[] = [];
      for (let from = 0; from < word.length; from = tokens[tokens.length - 1]!.to) {
        const piece = longestAt(word, from);
        if (!piece) return whole;
        tokens.push(piece);
      }
      return tokens;
    },
  };

  function longestAt(word: string, from: number): PieceToken | undefined {
    for (let to = Math.min(word.length, from + longestToken); to > from; to--) {
      const token = (from > 0 ? prefix : '') + word.slice(from, to);
      const id = vocabulary.idOf(token);
      if (id !== undefined) return { id, token, from, to };
    }
    return undefined;
  }
}

function tooLong(word: string, longest: number): UserError {
  return new InvalidData({
    where: `a word with ${JSON.stringify(word.slice(0, 20))}`,
    fault: `has ${word.length} characters`,
    hint: `The tokenizer allows words of ${longest} characters (max_input_chars_per_word); 100 is usual.`,
  });
}
