import { expect, it } from 'vitest';
import { ComputationError, UserError } from '../../support/user-error.ts';
import { ALONE, encode } from './communicator.ts';
import { together } from './together.ts';

/** Returns the error that process 0 throws if process 1 fails with `error`. */
async function told(error: Error): Promise<Error> {
  let sent: Uint8Array = encode(null);
  const two = { ...ALONE, size: 2, hosts: ['a', 'b'] };
  const fails = () => {
    throw error;
  };
  const gatherAs = (rank: number) => (bytes: Uint8Array) => {
    if (rank === 1) sent = bytes;
    return rank === 1 ? [encode(null), bytes] : [bytes, sent];
  };
  await together({ ...two, rank: 1, gather: gatherAs(1) }, fails).catch(() => {});
  return together({ ...two, rank: 0, gather: gatherAs(0) }, () => {}).then(
    () => new Error('nothing thrown'),
    (thrown) => thrown,
  );
}

it.each([
  ['mistake', new UserError('train.tsv: expected rows, got none.'), UserError],
  ['lack of memory', new ComputationError('the engine needs more memory'), ComputationError],
  ['fault', new TypeError('undefined is no function'), Error],
])('a %s of another process is thrown here too', async (_, error, kind) => {
  const { message, stack } = error;
  const here = await told(error);
  expect(here.constructor).toBe(kind);
  expect(here.message).toBe(`process 1 (b): ${message}`);
  // The stack shows where the error was thrown.
  if (kind === Error) expect(here.stack).toBe(`process 1 (b): ${stack}`);
});
