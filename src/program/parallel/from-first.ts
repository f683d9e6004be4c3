import type { Communicator } from './communicator.ts';
import { together } from './together.ts';

/**
 * Runs `find` in process 0 and returns its result in every process, because only process 0 may have the files. If
 * `find` throws, all processes throw its error.
 */
export async function fromFirst<T>(communicator: Communicator, find: () => T | Promise<T>): Promise<T> {
  if (communicator.size === 1) return find();
  const found = await together(communicator, async () => (communicator.rank === 0 ? find() : undefined));
  return communicator.broadcast(found) as T;
}
