import { decompress } from 'fzstd';
import { compressors as all } from 'hyparquet-compressors';

/** Every codec of parquet. That of zstd is told how much comes out, as the others are: it would believe the data. */
export const compressors = {
  ...all,
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};
