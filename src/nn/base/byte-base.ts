import { byteMatmul, weight } from '../../graph/build.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';

/** Weights of bytes with a scale an output, activations rounded by row: products of bytes, the quickest there are. */
export function byteBase(paths: ReadonlySet<string>): FrozenBase {
  return {
    paths,
    product(name, x, outFeatures) {
      const { graph } = x.node;
      const inFeatures = x.shape[1] as number;
      const values = weight(graph, name + INTEGERS, [inFeatures, outFeatures], 'uint8');
      const scales = weight(graph, name + SCALES, [outFeatures]);
      return byteMatmul(x, values, scales, { inFeatures, outFeatures, backward: false });
    },
  };
}
