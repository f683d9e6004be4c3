import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../../../support/user-error.ts';
import type { ColumnClasses } from '../class-names.ts';
import { type ParquetText, parquetText } from '../parquet-text.ts';

export interface ParquetJob {
  path: string;
  /** The content, if it is not read from `path`. */
  bytes?: Uint8Array;
  known?: ColumnClasses;
}

/** The thread's answer: the text, or an error that the user can fix. */
export type ParquetAnswer = ParquetText | { refused: string };

const { path, bytes, known } = workerData as ParquetJob;
const send = (answer: ParquetAnswer, buffers: ArrayBuffer[] = []) => parentPort?.postMessage(answer, buffers);

try {
  const read = await parquetText(new Uint8Array(bytes ?? readFileSync(path)), path, known);
  send(
    read,
    [...read.pictures.values()].map(({ buffer }) => buffer as ArrayBuffer),
  );
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  send({ refused: error.message });
}
