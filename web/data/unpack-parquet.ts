import { Caller } from '../../src/support/calls/caller.ts';
import { UserError } from '../../src/support/user-error.ts';
import { createPort, moduleWorker } from './module-worker.ts';

/** Time limit in seconds. It suffices for any file that a page accepts. */
const PATIENCE_SECONDS = 20;

export interface UnpackedRows {
  /** The rows as JSON Lines, with the names of classes and of stored files. */
  lines: string;
  stored: ReadonlyMap<string, Blob>;
}

/**
 * Returns the rows of a parquet file. Reads them in a worker, and stops the worker afterwards.
 *
 * @throws an error with a user's message for a file that is damaged, or takes too long
 */
export async function unpackParquet(file: Blob, where: string): Promise<UnpackedRows> {
  const worker = moduleWorker('parquet.js');
  const caller = new Caller(createPort(worker));
  const fault = `is not a readable parquet file: it took more than ${PATIENCE_SECONDS} s`;
  const timer = setTimeout(() => caller.fail(new UserError({ where, fault })), 1000 * PATIENCE_SECONDS);
  worker.addEventListener('error', () =>
    caller.fail(new Error('The part of this page that reads parquet did not load. Reload the page.')),
  );
  try {
    return await caller.call<UnpackedRows>('unpack', [file, where]);
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
}
