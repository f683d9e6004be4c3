import { statSync } from 'node:fs';
import { startThread } from '../../../../support/node/threads.ts';
import { InvalidData } from '../../../../support/user-error.ts';
import type { ColumnClasses } from '../class-names.ts';
import type { ParquetText } from '../parquet-text.ts';

/**
 * The time limit in seconds is `PATIENCE` plus the file's bytes divided by `SLOWEST`. `SLOWEST` is a tenth of
 * the usual speed.
 */
const PATIENCE = 10;
const SLOWEST = 2 ** 20;

/** Maximum memory for JavaScript objects, in megabytes. */
const MAX_OBJECTS = 1024;

/**
 * Reads a parquet file in a thread that can be stopped. For some damaged files, the library loops for minutes
 * or fills the memory.
 *
 * @param known class names by column, from a source other than the file
 * @param patience seconds for a small file; larger files get more
 * @param bytes the file's content; if given, `path` is only used in messages
 * @throws UserError for a file that is damaged, or takes too much time or memory
 */
export async function parquetFile(
  path: string,
  known?: ColumnClasses,
  patience = PATIENCE,
  bytes?: Uint8Array,
): Promise<ParquetText> {
  const seconds = patience + (bytes?.length ?? statSync(path).size) / SLOWEST;
  const { worker, caller } = startThread(new URL('./parquet-worker.js', import.meta.url), {
    name: 'thread that reads parquet',
    resourceLimits: { maxOldGenerationSizeMb: MAX_OBJECTS },
  });
  const refuse = (got: string) =>
    new InvalidData({ where: path, fault: `is not a readable parquet file: ${got}` });
  const tooLong = refuse(`reading it took more than ${Math.ceil(seconds)} s`);
  const timer = setTimeout(() => caller.fail(tooLong), 1000 * seconds);
  try {
    return await caller.call<ParquetText>('read', [path, known, bytes]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
    throw refuse(`its structure needs more than ${MAX_OBJECTS} MB`);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
