import { parquetText } from '../../src/input/data/parquet/parquet-text.ts';
import { answerCalls } from '../../src/support/calls/answer-calls.ts';
import { createPort } from './module-worker.ts';
import type { UnpackedRows } from './unpack-parquet.ts';

/** Runs in a worker of its own, so that it can be stopped: for some damaged files, the library loops for minutes. */
const reader = {
  /**
   * Returns the rows of a file, and the files that they name.
   *
   * @throws UserError for a damaged file
   */
  async unpack(file: Blob, name: string): Promise<UnpackedRows> {
    const { text, stored } = await parquetText(new Uint8Array(await file.arrayBuffer()), name);
    const blobs = [...stored].map(([path, bytes]) => [path, new Blob([bytes as BlobPart])] as const);
    return { lines: text, stored: new Map(blobs) };
  },
};

answerCalls(reader, ['unpack'], createPort(globalThis));
