import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { threadArguments } from '../../../../support/node/process-status.ts';
import { UserError } from '../../../../support/user-error.ts';
import type { ColumnClasses } from '../class-names.ts';
import type { ParquetText } from '../parquet-text.ts';
import type { ParquetAnswer, ParquetJob } from './parquet-worker.ts';

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
  const job: ParquetJob = { path, bytes, known };
  const seconds = patience + (bytes?.length ?? statSync(path).size) / SLOWEST;
  const worker = new Worker(new URL('./parquet-worker.js', import.meta.url), {
    ...threadArguments(),
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: MAX_OBJECTS },
  });
  const refuse = (got: string) =>
    new UserError({ where: path, fault: `is not a readable parquet file: ${got}` });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<ParquetAnswer>((resolve, reject) => {
      const tooLong = () => reject(refuse(`reading it took more than ${Math.ceil(seconds)} s`));
      timer = setTimeout(tooLong, 1000 * seconds);
      worker.on('message', resolve);
      worker.on('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? refuse(`its structure needs more than ${MAX_OBJECTS} MB`)
            : error,
        ),
      );
    });
    if ('refused' in answer) throw new UserError(answer.refused);
    return answer;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
