import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { Random } from './random.ts';
import { Sha256 } from './sha256.ts';

const oracle = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

it('equals the hash of Node for every length around a block, in one part or in several', () => {
  const random = new Random(1, 'sha256');
  for (let length = 0; length <= 200; length++) {
    const bytes = Uint8Array.from({ length }, () => random.integer(256));
    expect(new Sha256().update(bytes).digest('hex')).toBe(oracle(bytes));
    const hash = new Sha256();
    for (let at = 0; at < length; ) {
      const end = at + random.integer(90);
      hash.update(bytes.subarray(at, end));
      at = end;
    }
    expect(hash.digest('hex')).toBe(oracle(bytes));
  }
});

it('takes text as UTF-8, and bytes at any offset', () => {
  expect(new Sha256().update('naïve 🙂').digest('hex')).toBe(oracle('naïve 🙂'));
  const bytes = new Uint8Array(1000).map((_, i) => i).subarray(3);
  expect(new Sha256().update(bytes).digest('hex')).toBe(oracle(bytes));
});
