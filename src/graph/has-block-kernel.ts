import type { Ops } from './ops.ts';

/** Whether engines have a kernel that computes with the blocks themselves. It is fast if they are packed for it. */
export function hasBlockKernel({ bits, backward, rounded }: Ops['blockMatmul']): boolean {
  return !backward && (bits === 4 || rounded);
}
