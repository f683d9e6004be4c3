import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** A running SHA-256: Node's `Hash`, or {@link Sha256} where that is missing. */
export interface Hash {
  update(data: Uint8Array | string): Hash;
  digest(form: 'hex'): string;
}

/** SHA-256 of bytes in parts. `crypto.subtle` needs all bytes at once, and a secure page. */
export class Sha256 implements Hash {
  readonly #hash = sha256.create();

  update(data: Uint8Array | string): this {
    this.#hash.update(data);
    return this;
  }

  /** Ends the hash: call it once. */
  digest(_form: 'hex'): string {
    return bytesToHex(this.#hash.digest());
  }
}

/** A 64-bit hash of numbers as hexadecimal digits: two FNV-1a hashes over their 32-bit patterns. */
export function computeHash({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): string {
  const words = new Uint32Array(buffer, byteOffset, byteLength / 4);
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < words.length; i++) {
    a = Math.imul(a ^ words[i]!, 0x01000193);
    // A multiplication changes only higher bits, so the high half is mixed into the low half first.
    b = Math.imul(b ^ words[i]! ^ (words[i]! >>> 16), 0x85ebca6b);
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
