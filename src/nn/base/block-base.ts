import { blockMatmul, weight } from '../../graph/build.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';

/** Weights in blocks of small integers, each block with a scale. This saves memory; activations are not rounded. */
export function blockBase(paths: ReadonlySet<string>, bits: 4 | 8, blockSize: number): FrozenBase {
  return {
    paths,
    packing: bits === 4 ? 'always' : 'never',
    product(path, x, outFeatures) {
      const { graph } = x.node;
      const name = `${path}.weight`;
      const inFeatures = x.shape[1] as number;
      const blocks = (inFeatures * outFeatures) / blockSize;
      const values = weight(graph, name + INTEGERS, [blocks, (blockSize * bits) / 8], 'uint8');
      const scales = weight(graph, name + SCALES, [blocks]);
      return blockMatmul(x, values, scales, { bits, blockSize, inFeatures, outFeatures, backward: false });
    },
  };
}
