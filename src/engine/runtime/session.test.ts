import { expect, it } from 'vitest';
import { askedThreads } from './session.ts';

it('is undefined by default', () => {
  expect(askedThreads({})).toBeUndefined();
  expect(askedThreads({ ADALORA_THREADS: '' })).toBeUndefined();
});

it("is the user's setting", () => expect(askedThreads({ ADALORA_THREADS: '12' })).toBe(12));

it.each(['0', '-1', '1.5', 'all', '99999'])('rejects %s', (given) => {
  expect(() => askedThreads({ ADALORA_THREADS: given })).toThrow(
    `ADALORA_THREADS must be a number of threads from 1 to 9999, got ${given}`,
  );
});
