import { wrap } from 'comlink';
import { UserError } from '../../src/support/user-error.ts';
import { moduleWorker } from './module-worker.ts';
import type { ParquetUnpacker } from './parquet-worker.ts';

/** Time limit in seconds. It suffices for any file that a page accepts. */
const PATIENCE_SECONDS = 20;

/**
 * Returns the rows of a parquet file as JSON Lines, with the names of classes. Reads them in a worker, and stops the
 * worker afterwards.
 *
 * @throws an error with a user's message for a file that is damaged, or takes too long
 */
export async function unpackParquet(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<string> {
  const worker = moduleWorker('parquet.js');
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const refuse = () =>
      reject(
        new UserError({
          where,
          fault: `is not a readable parquet file: it took more than ${PATIENCE_SECONDS} s`,
        }),
      );
    timer = setTimeout(refuse, 1000 * PATIENCE_SECONDS);
  });
  const failed = new Promise<never>((_, reject) => {
    const refuse = () =>
      reject(new Error('The part of this page that reads parquet did not load. Reload the page.'));
    worker.addEventListener('error', refuse);
  });
  try {
    return await Promise.race([wrap<ParquetUnpacker>(worker).unpack(bytes, where), tooLong, failed]);
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
}
