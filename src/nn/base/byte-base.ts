import { byteMatmul } from '../../graph/build.ts';
import { byteMatrix } from './byte-matrix.ts';
import type { FrozenBase } from './frozen-base.ts';
import { smoothing } from './smoothing.ts';

/** Suffix of the name of a weight's mirror: the matrix that multiplies gradients. */
export const MIRROR = '.mirror';

/**
 * Stores weights as bytes. Activations and gradients are also rounded to bytes, because products of bytes are the
 * fastest. Each weight is stored twice, because the scales of a product belong to its output axis: one copy is rounded
 * along the rows, the other along the columns.
 *
 * @param normalised the modules that read the output of a layer norm. Its rows have similar magnitudes, so they share a
 * scale once outlier columns are smoothed. Rows of other operands have a scale each.
 * @param byRow whether smoothed rows also have a scale each. Then the result of a row does not depend on other rows.
 */
export function byteBase(
  paths: ReadonlySet<string>,
  normalised: ReadonlySet<string>,
  byRow = false,
): FrozenBase {
  const { factors, smoothed } = smoothing();
  return {
    paths,
    packing: 'alone',
    product(path, x, outFeatures) {
      const { graph } = x.node;
      const name = `${path}.weight`;
      const inFeatures = x.shape[1] as number;
      const operand = byteMatrix(graph, name, inFeatures, outFeatures);
      const mirror = byteMatrix(graph, name + MIRROR, outFeatures, inFeatures);
      if (!normalised.has(path)) return byteMatmul(x, operand, mirror);
      if (byRow) return byteMatmul(smoothed(x, name), operand, mirror);
      return byteMatmul(x, operand, mirror, factors(x, name));
    },
  };
}
