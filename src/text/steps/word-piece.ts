import type { Model, PieceToken } from './model.ts';
import type { WordPieceConfig } from './tokenizer-json.ts';
import { vocabularyOf } from './vocabulary.ts';

/** WordPiece: the longest token of the vocabulary that begins what is left of a word. */
export function wordPiece(config: WordPieceConfig): Model {
  const vocabulary = vocabularyOf(config.vocab);
  const unknown = vocabulary.idOf(config.unk_token);
  if (unknown === undefined) throw new Error(`the vocabulary lacks the unk_token ${config.unk_token}`);
  const { continuing_subword_prefix: prefix, max_input_chars_per_word: longest } = config;

  return {
    vocabulary,
    tokenize(word) {
      const whole = [{ id: unknown, token: config.unk_token, from: 0, to: word.length }];
      if (word.length > longest && [...word].length > longest) return whole;
      const tokens: PieceToken[] = [];
      for (let from = 0; from < word.length; from = tokens[tokens.length - 1].to) {
        const found = longestAt(word, from);
        if (!found) return whole;
        tokens.push(found);
      }
      return tokens;
    },
  };

  function longestAt(word: string, from: number): PieceToken | undefined {
    for (let to = word.length; to > from; to--) {
      const token = (from > 0 ? prefix : '') + word.slice(from, to);
      const id = vocabulary.idOf(token);
      if (id !== undefined) return { id, token, from, to };
    }
    return undefined;
  }
}
