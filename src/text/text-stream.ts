import type { TextTokenizer } from './tokenizer.ts';

/** The character for bytes that do not form a character yet. */
const INCOMPLETE = '\ufffd';

/**
 * Decodes ids that arrive one at a time. The concatenated pieces are the text of all ids. While bytes of a
 * character are missing, its piece is held back. Only the last few tokens are decoded, together with the tokens
 * before them, which determine their spaces.
 */
export class TextStream {
  readonly #tokenizer: Pick<TextTokenizer, 'decode' | 'specialIds'>;
  #ids: number[] = [];
  /** Ids whose text has been returned. */
  #given = 0;

  constructor(tokenizer: Pick<TextTokenizer, 'decode' | 'specialIds'>) {
    this.#tokenizer = tokenizer;
  }

  /** The text that an id adds; empty for special tokens and for parts of a character. */
  add(id: number): string {
    if (this.#tokenizer.specialIds.has(id)) return '';
    this.#ids.push(id);
    const text = this.#tokenizer.decode(this.#ids);
    return text.endsWith(INCOMPLETE) ? '' : this.#give(text);
  }

  /** The text that was held back. */
  end(): string {
    return this.#give(this.#tokenizer.decode(this.#ids));
  }

  #give(text: string): string {
    const before = this.#tokenizer.decode(this.#ids.slice(0, this.#given));
    // Keeps the last ids as context: without them, the next piece would lose the space before it.
    this.#ids = this.#ids.slice(this.#given);
    this.#given = this.#ids.length;
    return text.slice(before.length);
  }
}
