import { byteMatmul, weight } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';

/** What the matrix that a gradient is multiplied with is called, after the weight's name. */
export const MIRROR = '.mirror';
/** And what the columns of its operand are multiplied by. */
export const SMOOTHING = '.smoothing';

/**
 * Weights of bytes, activations and gradients rounded too: products of bytes, the quickest there are. Each weight is kept
 * twice, rounded along either axis, for the scales of a product belong to the axis that is left.
 *
 * @param normalised the modules that read what a layer norm gives: rows of one size, which share a scale, once the
 * columns that stand out are smoothed (Xiao et al., 2023, SmoothQuant). All else has a scale a row.
 */
export function byteBase(paths: ReadonlySet<string>, normalised: ReadonlySet<string>): FrozenBase {
  // Modules that read the same are smoothed alike: it is done once for all of them.
  const smoothings = new WeakMap<Value, Value>();
  const smoothingOf = (x: Value, name: string) => {
    const known = smoothings.get(x) ?? weight(x.node.graph, name + SMOOTHING, [x.shape[1] as number]);
    smoothings.set(x, known);
    return known;
  };
  return {
    paths,
    packed: true,
    product(path, x, outFeatures) {
      const { graph } = x.node;
      const name = `${path}.weight`;
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
        normalised.has(path) ? smoothingOf(x, name) : undefined,
      );
    },
  };
}
