import { columnByteMatmul } from '../../../engine/graph/build.ts';
import { byteMatrix } from './byte-base.ts';
import type { FrozenBase } from './frozen-base.ts';
import { smoothing } from './smoothing.ts';

/** Suffix of the name of a weight that is stored as bytes with a scale for each output. */
export const COLUMNS = '.columns';

/**
 * Stores weights as bytes, with a scale for each output. Activations and gradients are also rounded to bytes, with a
 * scale for each row. A weight is stored once: its product with a gradient transposes it.
 *
 * @param normalized the modules that read the output of a norm. The outlier columns of their operand are smoothed.
 */
export function columnByteBase(paths: ReadonlySet<string>, normalized: ReadonlySet<string>): FrozenBase {
  const { smoothed } = smoothing();
  return {
    paths,
    packing: 'never',
    product(path, x, outFeatures) {
      const name = `${path}.weight`;
      const operand = normalized.has(path) ? smoothed(x, name) : x;
      const matrix = byteMatrix(x.node.graph, name + COLUMNS, x.shape[1] as number, outFeatures);
      return columnByteMatmul(operand, matrix);
    },
  };
}
