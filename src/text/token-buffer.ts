/** A growing list of token ids, with four bytes per id. */
export class TokenBuffer {
  #ids: Int32Array = new Int32Array(256);
  length = 0;

  push(id: number): void {
    if (this.length === this.#ids.length) this.#grow(1);
    this.#ids[this.length++] = id;
  }

  append(ids: ArrayLike<number>): void {
    if (this.length + ids.length > this.#ids.length) this.#grow(ids.length);
    this.#ids.set(ids, this.length);
    this.length += ids.length;
  }

  /** A copy of the ids [start, end). */
  slice(start = 0, end = this.length): Int32Array {
    return this.#ids.slice(start, Math.min(end, this.length));
  }

  #grow(more: number): void {
    const grown = new Int32Array(Math.max(this.length + more, 2 * this.#ids.length));
    grown.set(this.#ids.subarray(0, this.length));
    this.#ids = grown;
  }
}
