import { byteMatmul, multiply, weight } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';

/** Suffix of the name of a weight's mirror: the matrix that multiplies gradients. */
export const MIRROR = '.mirror';
/** Suffix of the name of a weight's smoothing factors. They multiply the columns of its operand. */
export const SMOOTHING = '.smoothing';

/**
 * Stores weights as bytes. Activations and gradients are also rounded to bytes, because products of bytes are the
 * fastest. Each weight is stored twice, because the scales of a product belong to its output axis: one copy is rounded
 * along the rows, the other along the columns.
 *
 * @param normalised the modules that read the output of a layer norm. Its rows have similar magnitudes, so they share a
 * scale once outlier columns are smoothed (Xiao et al., 2023, SmoothQuant). Rows of other operands have a scale each.
 * @param byRow whether smoothed rows also have a scale each. Then the result of a row does not depend on other rows.
 */
export function byteBase(
  paths: ReadonlySet<string>,
  normalised: ReadonlySet<string>,
  byRow = false,
): FrozenBase {
  // Modules that read the same x have equal factors, so x is smoothed once for all of them.
  const smoothings = new WeakMap<Value, Value>();
  const smoothingOf = (x: Value, name: string) => {
    const known = smoothings.get(x) ?? weight(x.node.graph, name + SMOOTHING, [x.shape[1] as number]);
    smoothings.set(x, known);
    return known;
  };
  const smoothedRows = new WeakMap<Value, Value>();
  const smoothed = (x: Value, name: string) => {
    const known = smoothedRows.get(x) ?? multiply(x, smoothingOf(x, name));
    smoothedRows.set(x, known);
    return known;
  };
  return {
    paths,
    packing: 'alone',
    product(path, x, outFeatures) {
      const { graph } = x.node;
      const name = `${path}.weight`;
      const inFeatures = x.shape[1] as number;
      const matrix = (name: string, rows: number, columns: number) =>
        [
          weight(graph, name + INTEGERS, [rows, columns], 'uint8'),
          weight(graph, name + SCALES, [columns]),
        ] as const;
      const operand = matrix(name, inFeatures, outFeatures);
      const mirror = matrix(name + MIRROR, outFeatures, inFeatures);
      if (!normalised.has(path)) return byteMatmul(x, operand, mirror);
      if (byRow) return byteMatmul(smoothed(x, name), operand, mirror);
      return byteMatmul(x, operand, mirror, smoothingOf(x, name));
    },
  };
}
