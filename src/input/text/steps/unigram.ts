import { widthAt } from './aligned-text.ts';
import { byteTokens } from './bpe.ts';
import type { UnigramConfig } from './tokenizer-json.ts';
import { type Model, type PieceToken, Vocabulary } from './vocabulary.ts';

/** The score of an unknown character is the lowest token score minus this. */
const UNKNOWN_PENALTY = 10;
/** Maximum length of a token, four times the longest known. All lengths are looked up at every position of a text. */
const MAX_TOKEN_LENGTH = 512;

/**
 * Sentencepiece's Unigram model: chooses the tokens with the largest sum of scores. If sums are equal, it chooses
 * the longest last tokens.
 */
export function unigram(config: UnigramConfig): Model {
  const vocabulary = new Vocabulary();
  const scores = config.vocab.map((entry) => entry?.[1]);
  const ids = new Map<string, number>();
  // The maximum token length for each first UTF-16 unit.
  const longest = new Map<number, number>();
  for (const [id, entry] of config.vocab.entries()) {
    const [token, score] = Array.isArray(entry) ? entry : [];
    if (typeof token !== 'string' || typeof score !== 'number')
      throw new Error(`entry ${id} of vocab is not a token with a score`);
    if (token.length > MAX_TOKEN_LENGTH)
      throw new Error(`entry ${id} of vocab has ${token.length} characters, more than ${MAX_TOKEN_LENGTH}`);
    // The last of equal tokens counts, as in the Rust library.
    ids.set(token, id);
    vocabulary.tokens[id] = token;
    const first = token.charCodeAt(0);
    longest.set(first, Math.max(longest.get(first) ?? 0, token.length));
  }
  for (const [token, id] of ids) vocabulary.add(token, id);
  const unknown = config.unk_id ?? undefined;
  if (scores.length === 0) throw new Error('vocab is empty');
  if (unknown !== undefined && unknown >= scores.length)
    throw new Error(`unk_id is ${unknown}, but vocab has ${scores.length} entries`);
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  const bytes = config.byte_fallback ? byteTokens(vocabulary) : undefined;

  return {
    vocabulary,
    tokenize(piece) {
      const tokens: PieceToken[] = [];
      for (const [from, to] of spans(piece)) {
        const token = piece.slice(from, to);
        const id = ids.get(token);
        if (id !== undefined) tokens.push({ id, token, from, to });
        else tokens.push(...(bytes?.(token, from, to) ?? [{ id: known(), token, from, to }]));
      }
      return tokens;
    },
  };

  function known(): number {
    if (unknown === undefined)
      throw new Error('a character is not in the vocabulary, and there is no unk_id');
    return unknown;
  }

  /** The best segmentation of a piece. Adjacent unknown characters form one token. */
  function spans(piece: string): [number, number][] {
    const size = piece.length;
    const score = new Float64Array(size + 1);
    const start = new Int32Array(size + 1).fill(-1);
    const isUnknown = new Uint8Array(size + 1);
    const offer = (from: number, to: number, candidate: number, id: number) => {
      if (start[to]! >= 0 && candidate <= score[to]!) return;
      score[to] = candidate;
      start[to] = from;
      isUnknown[to] = Number(id === unknown);
    };
    for (let from = 0, width: number; from < size; from += width) {
      width = widthAt(piece, from);
      let hasSingle = false;
      const end = Math.min(size, from + (longest.get(piece.charCodeAt(from)) ?? 0));
      for (let to = from + 1; to <= end; to++) {
        const id = ids.get(piece.slice(from, to));
        if (id === undefined) continue;
        offer(from, to, scores[id]! + score[from]!, id);
        hasSingle ||= to === from + width;
      }
      if (!hasSingle) offer(from, from + width, unknownScore + score[from]!, known());
    }
    const pieces: [number, number][] = [];
    let joinable = false;
    for (let to = size; to > 0; to = start[to]!) {
      if (joinable && isUnknown[to]) pieces[pieces.length - 1]![0] = start[to]!;
      else pieces.push([start[to]!, to]);
      joinable = isUnknown[to] === 1;
    }
    return pieces.reverse();
  }
}
