import { type ByteMatrix, byteMatmul, weight } from '../../../engine/graph/build.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { type FrozenBase, INTEGERS, SCALES } from './frozen-base.ts';
import { smoothing } from './smoothing.ts';

/** Suffix of the name of a weight's mirror: the matrix that multiplies gradients. */
export const MIRROR = '.mirror';

/**
 * Stores weights as bytes. Activations and gradients are also rounded to bytes, because products of bytes are the
 * fastest. Each of their rows has a scale, so no row depends on others in its batch. Each weight is stored twice, because
 * the scales of a product belong to its output axis: one copy is rounded along the rows, the other along the columns.
 *
 * @param normalized the modules that read the output of a layer norm. The outlier columns of their operand are smoothed.
 */
export function byteBase(paths: ReadonlySet<string>, normalized: ReadonlySet<string>): FrozenBase {
  const { factors } = smoothing();
  return {
    paths,
    packing: 'alone',
    product(path, x, outFeatures) {
      const { graph } = x.node;
      const name = `${path}.weight`;
      const inFeatures = x.shape[1] as number;
      const operand = byteMatrix(graph, name, inFeatures, outFeatures);
      const mirror = byteMatrix(graph, name + MIRROR, outFeatures, inFeatures);
      return byteMatmul(x, operand, mirror, normalized.has(path) ? factors(x, name) : undefined);
    },
  };
}

/** The stored matrix `name` [rows, columns] of bytes, with a scale for each column. */
export function byteMatrix(graph: Graph, name: string, rows: number, columns: number): ByteMatrix {
  return [weight(graph, name + INTEGERS, [rows, columns], 'uint8'), weight(graph, name + SCALES, [columns])];
}
