import { readFileSync } from 'node:fs';
import { Moved } from '../../../../support/calls/answer-calls.ts';
import { answerParent } from '../../../../support/node/threads.ts';
import type { ColumnClasses } from '../class-names.ts';
import { parquetText } from '../parquet-text.ts';

/** Reads a file. `bytes` is its content, if it is not read from `path`. */
const reader = {
  async read(path: string, known?: ColumnClasses, bytes?: Uint8Array): Promise<Moved> {
    const read = await parquetText(new Uint8Array(bytes ?? readFileSync(path)), path, known);
    return new Moved(
      read,
      [...read.stored.values()].map(({ buffer }) => buffer as ArrayBuffer),
    );
  },
};

export type ParquetReader = typeof reader;

answerParent(reader, ['read']);
