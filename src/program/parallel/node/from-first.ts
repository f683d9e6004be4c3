import { deserialize, serialize } from 'node:v8';
import type { Communicator } from '../communicator.ts';
import { together } from './together.ts';

/**
 * Runs `find` in process 0 and returns its result in every process, because only process 0 may have the files. If
 * `find` throws, all processes throw its error.
 */
export async function fromFirst<T>(communicator: Communicator, find: () => T | Promise<T>): Promise<T> {
  if (communicator.size === 1) return find();
  const isFirst = communicator.rank === 0;
  const serialized = await together(communicator, async () =>
    isFirst ? serialize(await find()) : undefined,
  );
  return deserialize(communicator.broadcast(serialized));
}
