/** A running SHA-256: Node's `Hash`, or {@link Sha256} where that is missing. */
export interface Hash {
  update(data: Uint8Array | string): Hash;
  digest(form: 'hex'): string;
}

const BLOCK = 64;
const ROUNDS = 64;
const PRIMES = primes(ROUNDS);
const CONSTANTS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

/** SHA-256 of bytes in parts. `crypto.subtle` needs all bytes at once, and a secure page. */
export class Sha256 implements Hash {
  readonly #state = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  readonly #words = new Int32Array(ROUNDS);
  /** The bytes since the last whole block. */
  readonly #rest = new Uint8Array(BLOCK);
  #length = 0;

  update(data: Uint8Array | string): this {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const pending = this.#length % BLOCK;
    this.#length += bytes.length;
    let at = 0;
    if (pending > 0) {
      at = Math.min(BLOCK - pending, bytes.length);
      this.#rest.set(bytes.subarray(0, at), pending);
      if (pending + at < BLOCK) return this;
      this.#compress(this.#rest, 0);
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.#compress(bytes, at);
    this.#rest.set(bytes.subarray(at));
    return this;
  }

  /** Ends the hash: call it once. */
  digest(_form: 'hex'): string {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setBigUint64(0, 8n * BigInt(this.#length));
    const zeros = (2 * BLOCK - 9 - (this.#length % BLOCK)) % BLOCK;
    this.update(Uint8Array.of(0x80, ...new Uint8Array(zeros), ...new Uint8Array(bits.buffer)));
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #compress(bytes: Uint8Array, at: number): void {
    const w = this.#words;
    const state = this.#state;
    for (let i = 0, p = at; i < 16; i++, p += 4)
      w[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
    for (let i = 16; i < ROUNDS; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
      const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
      w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
    }
    // Destructuring an array takes much longer here.
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    let f = state[5]!;
    let g = state[6]!;
    let h = state[7]!;
    for (let i = 0; i < ROUNDS; i++) {
      const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + CONSTANTS[i]! + w[i]!) | 0;
      const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const added = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < added.length; i++) state[i]! += added[i]!;
  }
}

function rotated(word: number, count: number): number {
  return (word >>> count) | (word << (32 - count));
}

/** The first 32 bits of a number's fraction, from which SHA-256 has its constants. */
function fraction(value: number): number {
  return ((value % 1) * 2 ** 32) | 0;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime > 0)) found.push(n);
  return found;
}
