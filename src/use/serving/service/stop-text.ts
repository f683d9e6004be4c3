import { largest, smallest } from '../../../support/numbers.ts';
/** Ends a streamed text before the first stop text. It holds back text that may be the start of a stop text. */
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

  /** Adds a piece. Returns the text that certainly belongs to the output. */
  add(piece: string): string {
    if (this.#isEnded) return '';
    this.#held += piece;
    const places = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    if (places.length > 0) {
      this.#isEnded = true;
      return this.#give(smallest(places));
    }
    return this.#give(this.#held.length - this.#beginning());
  }

  /** Returns the text that is still held back, if the output ends without a stop text. */
  end(): string {
    return this.#isEnded ? '' : this.#give(this.#held.length);
  }

  /** The length of the longest suffix that is the start of a stop text. */
  #beginning(): number {
    const lengths = this.#stops.map((stop) => {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > 0; length--)
        if (this.#held.endsWith(stop.slice(0, length))) return length;
      return 0;
    });
    return Math.max(0, largest(lengths));
  }

  #give(length: number): string {
    const released = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return released;
  }
}
