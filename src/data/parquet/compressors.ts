import { decompress } from 'fzstd';
import { compressors as all } from 'hyparquet-compressors';

/** Every codec of parquet. zstd also gets the expected size: otherwise it would trust the data. */
export const compressors = {
  ...all,
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};
