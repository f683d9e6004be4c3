import { blockMatmul, weight } from '../../../engine/graph/build.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';

/**
 * Stores weights as blocks of small integers, each block with a scale. This saves memory. Graphs that generate text
 * also round activations in blocks: most of their time is spent on reading weights, and the fast kernels need bytes.
 *
 * @param bitsOf returns the bits per element of a weight
 * @param words see {@link FrozenBase.words}
 */
export function blockBase(
  paths: ReadonlySet<string>,
  bitsOf: (path: string) => 4 | 8,
  blockSize: number,
  words?: string,
): FrozenBase {
  return {
    paths,
    words,
    packing: 'never',
    product(path, x, outFeatures, generates) {
      const { graph } = x.node;
      const bits = bitsOf(path);
      const name = `${path}.weight`;
      const inFeatures = x.shape[1] as number;
      const blocks = (inFeatures * outFeatures) / blockSize;
      const values = weight(graph, name + INTEGERS, [blocks, (blockSize * bits) / 8], 'uint8');
      const scales = weight(graph, name + SCALES, [blocks]);
      const sizes = { bits, blockSize, inFeatures, outFeatures };
      return blockMatmul(x, values, scales, { ...sizes, backward: false, rounded: generates });
    },
  };
}
