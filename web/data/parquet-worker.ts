import { parquetText } from '../../src/input/data/parquet/parquet-text.ts';
import { answerCalls } from '../../src/support/calls/answer-calls.ts';
import { portOf } from './module-worker.ts';

/** Runs in a worker of its own, so that it can be stopped: for some damaged files, the library loops for minutes. */
const reader = {
  /**
   * Returns the rows of a file as JSON Lines.
   *
   * @throws UserError for a damaged file
   */
  async unpack(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<string> {
    return (await parquetText(bytes, name)).text;
  },
};

answerCalls(reader, ['unpack'], portOf(globalThis));
