import { expose } from 'comlink';
import { parquetText } from '../../src/data/parquet/parquet-text.ts';

/** Runs in its own worker, so that it can be stopped: the library loops for minutes over some damaged files. */
const unpacker = {
  /** The rows of a file as JSON Lines. Throws a UserError for a damaged one. */
  async unpack(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<string> {
    return (await parquetText(bytes, name)).text;
  },
};

export type ParquetUnpacker = typeof unpacker;

expose(unpacker);
