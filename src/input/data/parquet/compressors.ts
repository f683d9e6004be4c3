import { decompress } from 'fzstd';
import { compressors as all } from 'hyparquet-compressors';

/** All codecs of parquet. zstd gets the expected size, because otherwise it would trust the size in the data. */
export const compressors = {
  ...all,
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};
