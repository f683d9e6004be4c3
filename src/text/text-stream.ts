import type { TextTokenizer } from './tokenizer.ts';

/** What stands for bytes that are no character yet. */
const INCOMPLETE = '\ufffd';

/**
 * The text of ids that come one at a time: all pieces together are the text of all ids. A piece is held back while
 * bytes of a character are missing. Decodes the last few tokens only, with those before them that they lean on.
 */
export class TextStream {
  readonly #tokenizer: Pick<TextTokenizer, 'decode' | 'specialIds'>;
  #ids: number[] = [];
  /** Ids whose text has been given. */
  #given = 0;

  constructor(tokenizer: Pick<TextTokenizer, 'decode' | 'specialIds'>) {
    this.#tokenizer = tokenizer;
  }

  /** What an id adds to the text; empty for special tokens and for parts of a character. */
  add(id: number): string {
    if (this.#tokenizer.specialIds.has(id)) return '';
    this.#ids.push(id);
    const text = this.#tokenizer.decode(this.#ids);
    return text.endsWith(INCOMPLETE) ? '' : this.#give(text);
  }

  /** What has been held back. */
  end(): string {
    return this.#give(this.#tokenizer.decode(this.#ids));
  }

  #give(text: string): string {
    const before = this.#tokenizer.decode(this.#ids.slice(0, this.#given));
    // Keeps the last ids as context: without it the next piece would lose the space before it.
    this.#ids = this.#ids.slice(this.#given);
    this.#given = this.#ids.length;
    return text.slice(before.length);
  }
}
