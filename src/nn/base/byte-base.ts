import { byteMatmul, weight } from '../../graph/build.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';

/** What the matrix that a gradient is multiplied with is called, after the weight's name. */
export const MIRROR = '.mirror';

/**
 * Weights of bytes, activations and gradients rounded too: products of bytes, the quickest there are. Each weight is kept
 * twice, rounded along either axis, for the scales of a product belong to the axis that is left. What a layer norm gives
 * has rows of one size and shares a scale; all else has a scale a row.
 */
export function byteBase(paths: ReadonlySet<string>): FrozenBase {
  return {
    paths,
    product(name, x, outFeatures) {
      const { graph, op } = x.node;
      const inFeatures = x.shape[1] as number;
      const matrix = (name: string, rows: number, columns: number) =>
        [
          weight(graph, name + INTEGERS, [rows, columns], 'uint8'),
          weight(graph, name + SCALES, [columns]),
        ] as const;
      return byteMatmul(
        x,
        matrix(name, inFeatures, outFeatures),
        matrix(name + MIRROR, outFeatures, inFeatures),
        op === 'layerNorm',
      );
    },
  };
}
