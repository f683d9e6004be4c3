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
