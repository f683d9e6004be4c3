import type { TextTokenizer } from './tokenizer.ts';

/** The character for bytes that do not form a character yet. */
const INCOMPLETE = '\ufffd';

/**
 * Decodes ids that arrive one at a time. The concatenated results are the text of all ids. While bytes of a character
 * are missing, its text is held back. Only the last few tokens are decoded, together with the tokens before them, which
 * determine their spaces.
 */
export class TextStream {
  readonly #tokenizer: Pick<TextTokenizer, 'decode' | 'specialIds'>;
  #ids: number[] = [];
  /** Number of ids with text that has been returned. */
  #returned = 0;

  constructor(tokenizer: Pick<TextTokenizer, 'decode' | 'specialIds'>) {
    this.#tokenizer = tokenizer;
  }

  /** Returns the text that an id adds. Empty for special tokens and for parts of a character. */
  add(id: number): string {
    if (this.#tokenizer.specialIds.has(id)) return '';
    this.#ids.push(id);
    const text = this.#tokenizer.decode(this.#ids);
    return text.endsWith(INCOMPLETE) ? '' : this.#give(text);
  }

  /** Returns the text that was held back. */
  end(): string {
    return this.#give(this.#tokenizer.decode(this.#ids));
  }

  #give(text: string): string {
    const before = this.#tokenizer.decode(this.#ids.slice(0, this.#returned));
    // Keeps the last ids as context. Without them, the next text would lose the space before it.
    this.#ids = this.#ids.slice(this.#returned);
    this.#returned = this.#ids.length;
    return text.slice(before.length);
  }
}
