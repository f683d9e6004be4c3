/** Ends a streamed text before any of the stop texts: a possible start of one is held back. */
export class StopText {
  readonly #stops: readonly string[];
  #held = '';
  #isEnded = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** Whether a stop text has occurred. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The part of a piece, and of the held-back text, that certainly belongs to the output. */
  add(piece: string): string {
    if (this.#isEnded) return '';
    this.#held += piece;
    const places = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    if (places.length > 0) {
      this.#isEnded = true;
      return this.#give(Math.min(...places));
    }
    return this.#give(this.#held.length - this.#beginning());
  }

  /** The held-back text, if the text ends without a stop text. */
  end(): string {
    return this.#isEnded ? '' : this.#give(this.#held.length);
  }

  /** The length of the longest suffix that a stop text starts with. */
  #beginning(): number {
    const lengths = this.#stops.map((stop) => {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > 0; length--)
        if (this.#held.endsWith(stop.slice(0, length))) return length;
      return 0;
    });
    return Math.max(0, ...lengths);
  }

  #give(length: number): string {
    const released = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return released;
  }
}
