import { columnByteMatmul, weight } from '../../graph/build.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';
import { smoothing } from './smoothing.ts';

/** Suffix of the name of a weight that is stored as bytes with a scale for each output. */
export const COLUMNS = '.columns';

/**
 * Stores weights as bytes, with a scale for each output. Activations and gradients are also rounded to bytes, with a
 * scale for each row. A weight is stored once: its product with a gradient transposes it.
 *
 * @param normalised the modules that read the output of a norm. The outlier columns of their operand are smoothed.
 */
export function columnByteBase(paths: ReadonlySet<string>, normalised: ReadonlySet<string>): FrozenBase {
  const { smoothed } = smoothing();
  return {
    paths,
    packing: 'never',
    product(path, x, outFeatures) {
      const { graph } = x.node;
      const name = `${path}.weight`;
      const bytes = name + COLUMNS;
      const operand = normalised.has(path) ? smoothed(x, name) : x;
      return columnByteMatmul(operand, [
        weight(graph, bytes + INTEGERS, [x.shape[1] as number, outFeatures], 'uint8'),
        weight(graph, bytes + SCALES, [outFeatures]),
      ]);
    },
  };
}
