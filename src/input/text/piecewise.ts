import { InvalidData } from '../../support/user-error.ts';
import type { CutText } from './cut-text.ts';
import { TokenBuffer } from './token-sequences.ts';

/** Maximum number of characters. If each were a token, tokenizing would take nearly a gigabyte and three seconds. */
const MAX = 2 ** 20;

/**
 * Checks that a text is not too long to be tokenized at once.
 *
 * @throws UserError that quotes the start of the text
 */
export function checkPiece(text: string): void {
  if (text.length <= MAX) return;
  throw new InvalidData({
    where: `a text with ${JSON.stringify(text.slice(0, 20))}`,
    fault: `has ${text.length} characters without a place to split, such as a space; at most ${MAX} are allowed`,
    hint: 'Split it into several rows.',
  });
}

/** Maximum number of cached pieces: about 20 MB, and more words than are common in English. */
const MAX_CACHED = 100_000;
/** Maximum length of a cached piece. Longer pieces are rare, and caching them would keep large inputs in memory. */
const MAX_CACHED_LENGTH = 64;
/** Number of characters between two progress reports. */
const REPORTED_CHARACTERS = 2 ** 16;

/** Tokenizes texts of any length piece by piece, and caches the pieces. */
export class Piecewise {
  readonly #tokenize: (text: string) => readonly number[];
  readonly #cut: CutText;
  readonly #known = new Map<string, readonly number[]>();

  /** @param cut cuts a text into pieces; by default, a text is one piece */
  constructor(tokenize: (text: string) => readonly number[], cut: CutText = (text) => [text]) {
    this.#tokenize = tokenize;
    this.#cut = cut;
  }

  /**
   * Returns all ids of a text. Stops early when there are more than `enough`.
   *
   * @param onProgress called from time to time with the number of processed characters
   * @throws UserError for a piece that is too long to be tokenized
   */
  ids(text: string, enough: number, onProgress?: (characters: number) => void): TokenBuffer {
    const buffer = new TokenBuffer();
    let characters = 0;
    let reported = 0;
    for (const piece of this.#cut(text)) {
      buffer.append(this.#idsOf(piece));
      if (buffer.length > enough) break;
      characters += piece.length;
      if (characters - reported < REPORTED_CHARACTERS) continue;
      reported = characters;
      onProgress?.(characters);
    }
    return buffer;
  }

  #idsOf(piece: string): readonly number[] {
    const known = this.#known.get(piece);
    if (known) return known;
    checkPiece(piece);
    const ids = this.#tokenize(piece);
    if (piece.length <= MAX_CACHED_LENGTH) {
      if (this.#known.size >= MAX_CACHED) this.#known.clear();
      this.#known.set(piece, ids);
    }
    return ids;
  }
}
