import { excerpt } from '../../formats/excerpt.ts';

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

/** Tokens by id and ids by token. */
export class Vocabulary {
  readonly #ids = new Map<string, number>();
  readonly tokens: (string | undefined)[] = [];

  /**
   * Adds a token.
   *
   * @throws Error for an invalid id, or the id of another token
   */
  add(token: unknown, id: unknown): void {
    if (typeof token !== 'string' || !Number.isInteger(id) || (id as number) < 0 || (id as number) > MAX_ID)
      throw new Error(
        `the id of token ${excerpt(token)} is ${excerpt(id)}, not an integer from 0 to ${MAX_ID}`,
      );
    const known = this.#ids.get(token);
    if (known !== undefined && known !== id)
      throw new Error(`${excerpt(token)} has the ids ${known} and ${id}`);
    this.#ids.set(token, id as number);
    this.tokens[id as number] ??= token;
  }

  /**
   * Adds an added token. It replaces another token with the same id.
   *
   * @throws Error if the token already has another id
   */
  addFirst(token: string, id: number): void {
    this.add(token, id);
    this.tokens[id] = token;
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }
}

/** Maximum id, eight times the largest vocabulary of known models. */
const MAX_ID = 2 ** 21 - 1;

/** The vocabulary of a section with ids by token. */
export function createVocabulary(ids: Readonly<Record<string, number>>): Vocabulary {
  const vocabulary = new Vocabulary();
  for (const token of Object.keys(ids)) vocabulary.add(token, ids[token]);
  return vocabulary;
}
