import { expect, it } from 'vitest';
import { askedThreads } from './asked-threads.ts';

it('leaves it to the engine where nothing is said', () => {
  expect(askedThreads({})).toBeUndefined();
  expect(askedThreads({ ADALORA_THREADS: '' })).toBeUndefined();
});

it('is what the user says', () => expect(askedThreads({ ADALORA_THREADS: '12' })).toBe(12));

it.each(['0', '-1', '1.5', 'all', '99999'])('refuses %s', (given) => {
  expect(() => askedThreads({ ADALORA_THREADS: given })).toThrow(
    `ADALORA_THREADS: expected a count of threads from 1 to 9999, got ${given}`,
  );
});
