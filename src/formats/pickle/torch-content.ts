import type { ByteRange } from './zip-directory.ts';

/** The content of a `torch.save` file, in either format. */
export interface TorchContent {
  /** The saved value, with a TorchTensor for each tensor. */
  value: unknown;
  /** The range of a storage's bytes in the file; undefined if the storage does not exist. */
  locate(key: string): ByteRange | undefined;
}

/** Maximum size of a pickle. It has about 200 bytes per tensor, and models have some thousand tensors. */
export const MAX_PICKLE_BYTES = 2 ** 24;
