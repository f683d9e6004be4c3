import { deserialize, serialize } from 'node:v8';
import type { Communicator } from '../communicator.ts';
import { together } from './together.ts';

/** What process 0 finds, in every process: the others need not have its files. Throws in all what it throws there. */
export async function fromFirst<T>(communicator: Communicator, find: () => T | Promise<T>): Promise<T> {
  if (communicator.size === 1) return find();
  const isFirst = communicator.rank === 0;
  const found = await together(communicator, async () => (isFirst ? serialize(await find()) : undefined));
  return deserialize(communicator.broadcast(found));
}
