import { reshape } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import type { Network } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';

/** Returns a function that normalizes each head in rows [tokens, heads · headSize]; see `rmsNorm`. */
export function normOfHeads(headSize: number, epsilon: number, offset = 0) {
  return (norm: Network, rows: Value): Value => {
    const [tokens, width] = rows.shape;
    const heads = reshape(rows, [tokens!, (width as number) / headSize, headSize]);
    return reshape(rmsNorm(norm, heads, epsilon, offset), rows.shape);
  };
}
