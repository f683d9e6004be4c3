import type { Ops } from './ops.ts';

/**
 * Whether engines have a kernel that multiplies with the blocks without unpacking them. The kernel is fast if
 * the blocks are packed for it.
 */
export function hasBlockKernel({ bits, backward, rounded }: Ops['blockMatmul']): boolean {
  return !backward && (bits === 4 || rounded);
}
