import { blockMatmul, weight } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';

/**
 * A frozen base whose linear weights are stored in blocks of small integers: beside `….weight` stand `….weight.blocks`
 * and `….weight.scales`.
 */
export interface BlockBase {
  bits: 4 | 8;
  /** Elements of a row that share a scale. */
  blockSize: number;
  /** The modules that are stored so. */
  paths: ReadonlySet<string>;
}

export const BLOCKS = '.blocks';
export const SCALES = '.scales';

/** x Wᵀ with the weight `name` [outFeatures, in] of such a base. */
export function blockProduct(
  { bits, blockSize }: BlockBase,
  name: string,
  x: Value,
  outFeatures: number,
): Value {
  const { graph } = x.node;
  const inFeatures = x.shape[1] as number;
  const blocks = (inFeatures * outFeatures) / blockSize;
  const values = weight(graph, name + BLOCKS, [blocks, (blockSize * bits) / 8], 'uint8');
  const scales = weight(graph, name + SCALES, [blocks]);
  return blockMatmul(x, values, scales, { bits, blockSize, inFeatures, outFeatures, backward: false });
}
