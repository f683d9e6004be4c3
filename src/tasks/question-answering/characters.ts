const SURROGATES = /[\ud800-\udbff][\udc00-\udfff]/;

/** A text indexed by code points, the unit of answer positions and offsets. */
export class Characters {
  readonly #text: string;
  /** The index in the string at which each code point starts. Undefined if all code points have length 1. */
  readonly #starts: number[] | undefined;

  constructor(text: string) {
    this.#text = text;
    if (!SURROGATES.test(text)) return;
    const starts: number[] = [];
    for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at);
    this.#starts = starts;
  }

  get length(): number {
    return this.#starts?.length ?? this.#text.length;
  }

  slice(start: number, end: number): string {
    return this.#text.slice(this.#place(start), this.#place(end));
  }

  /** The index of the code point that begins at an index of the string. */
  indexOf(place: number): number {
    return this.#starts ? this.#starts.findIndex((start) => start >= place) : place;
  }

  #place(character: number): number {
    return this.#starts ? (this.#starts[character] ?? this.#text.length) : character;
  }
}
