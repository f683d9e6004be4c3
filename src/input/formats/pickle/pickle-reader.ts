/** Reads consecutive pickles: opcodes and arguments, in order. Throws a {@link PickleEnd} at the end of the bytes. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** Reads a UTF-8 text of `length` bytes; undefined if it is not valid UTF-8. */
  text(length: number): string | undefined {
    const start = this.#advance(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      return undefined;
    }
  }

  /** Reads up to and including a line feed. */
  line(): string | undefined {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleEnd();
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** Reads a little-endian two's complement number. Undefined if it is longer than 8 bytes, or not a safe integer. */
  long(length: number): number | undefined {
    const start = this.#advance(length);
    if (length > 8) return undefined;
    let value = 0n;
    for (let i = 0; i < length; i++) value |= BigInt(this.#bytes[start + i]!) << BigInt(8 * i);
    const number = Number(BigInt.asIntN(8 * length, value));
    return Number.isSafeInteger(number) ? number : undefined;
  }

  #advance(count: number): number {
    const start = this.at;
    if (start + count > this.#bytes.length) throw new PickleEnd();
    this.at += count;
    return start;
  }
}

/** Thrown if a pickle ends too early. */
export class PickleEnd extends Error {}
