import { byteTokens } from './byte-tokens.ts';
import { type Merge, mergeSymbols, type PieceSymbol } from './merge-symbols.ts';
import type { Model } from './model.ts';
import type { BpeConfig } from './tokenizer-json.ts';
import { type Vocabulary, vocabularyOf } from './vocabulary.ts';

/** Byte pair encoding: merges characters by rules, in the order in which the rules were learned. */
export function bpe(config: BpeConfig): Model {
  const vocabulary = vocabularyOf(config.vocab);
  const merges = readMerges(config, vocabulary);
  const prefix = config.continuing_subword_prefix ?? '';
  const suffix = config.end_of_word_suffix ?? '';
  const unknown = config.unk_token ?? undefined;
  const bytes = config.byte_fallback ? byteTokens(vocabulary) : undefined;

  return {
    vocabulary,
    tokenize(piece) {
      if (config.ignore_merges) {
        const id = vocabulary.idOf(piece);
        if (id !== undefined) return [{ id, token: piece, from: 0, to: piece.length }];
      }
      return mergeSymbols(symbols(piece), merges).map(({ id, from, to }) => ({
        id,
        token: vocabulary.tokens[id] ?? '',
        from,
        to,
      }));
    },
  };

  function idOfUnknown(token: string): number {
    const id = vocabulary.idOf(token);
    if (id === undefined) throw new Error(`the vocabulary lacks the unk_token ${token}`);
    return id;
  }

  function symbols(piece: string): PieceSymbol[] {
    const pieces: PieceSymbol[] = [];
    let pending: PieceSymbol | undefined;
    let from = 0;
    for (const character of piece) {
      const to = from + character.length;
      const text = (from > 0 ? prefix : '') + character + (to === piece.length ? suffix : '');
      const id = vocabulary.idOf(text);
      const fallback = id === undefined ? bytes?.(text, from, to) : undefined;
      if (id !== undefined) {
        if (pending) pieces.push(pending);
        pending = undefined;
        pieces.push({ id, from, to });
      } else if (fallback) pieces.push(...fallback);
      else if (unknown !== undefined) {
        if (pending && config.fuse_unk) pending.to = to;
        else {
          if (pending) pieces.push(pending);
          pending = { id: idOfUnknown(unknown), from, to };
        }
      }
      from = to;
    }
    if (pending) pieces.push(pending);
    return pieces;
  }
}

/**
 * Maps the ids of a left and a right side to their merge rule.
 *
 * @throws Error if a side or the result is not in the vocabulary
 */
function readMerges(config: BpeConfig, vocabulary: Vocabulary): Map<number, Map<number, Merge>> {
  const merges = new Map<number, Map<number, Merge>>();
  const skipped = config.continuing_subword_prefix?.length ?? 0;
  for (const [rank, rule] of config.merges.entries()) {
    const sides: readonly unknown[] =
      typeof rule === 'string' ? rule.split(' ') : Array.isArray(rule) ? rule : [];
    const [left, right] = sides;
    if (sides.length !== 2 || typeof left !== 'string' || typeof right !== 'string')
      throw new Error(`merge ${rank} is not two tokens`);
    const idOf = (token: string) => {
      const id = vocabulary.idOf(token);
      if (id === undefined)
        throw new Error(`merge ${rank} needs ${JSON.stringify(token)}, which is not in the vocabulary`);
      return id;
    };
    const from = idOf(left);
    const after = merges.get(from) ?? new Map<number, Merge>();
    merges.set(from, after);
    // The last of equal rules counts, as in the Rust library.
    after.set(idOf(right), { rank, id: idOf(left + right.slice(skipped)) });
  }
  return merges;
}
