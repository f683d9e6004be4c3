import type { ByteRange } from './zip-directory.ts';

/** What a file of `torch.save` holds, in either format. */
export interface TorchContent {
  /** What was saved, with a TorchTensor for each tensor. */
  value: unknown;
  /** Where the bytes of a storage lie in the file; undefined where there is no such storage. */
  locate(key: string): ByteRange | undefined;
}

/** Some 200 bytes a tensor, and a file has some thousand tensors. */
export const MAX_PICKLE_BYTES = 2 ** 24;
