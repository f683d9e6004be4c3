/** Ends a text that comes in pieces before any of some texts: what might begin one of them is held back. */
export class StopText {
  readonly #stops: readonly string[];
  #held = '';
  #isEnded = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** Whether one of the texts has come. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** What of a piece, and of what was held back, certainly belongs to the text. */
  add(piece: string): string {
    if (this.#isEnded) return '';
    this.#held += piece;
    const found = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#isEnded = true;
      return this.#give(Math.min(...found));
    }
    return this.#give(this.#held.length - this.#beginning());
  }

  /** What has been held back, where the text ends otherwise. */
  end(): string {
    return this.#isEnded ? '' : this.#give(this.#held.length);
  }

  /** The length of the longest end that a stop text begins with. */
  #beginning(): number {
    const lengths = this.#stops.map((stop) => {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > 0; length--)
        if (this.#held.endsWith(stop.slice(0, length))) return length;
      return 0;
    });
    return Math.max(0, ...lengths);
  }

  #give(length: number): string {
    const given = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return given;
  }
}
