import type { Dimension } from '../../../engine/graph/dimension.ts';
import type { GraphNode, Value } from '../../../engine/graph/graph.ts';
import type { Emitter } from '../../../engine/onnx/emitter.ts';
import type { ReadRange } from '../../../methods/tuners/tuner.ts';

/** A frozen matrix [rows, columns]. */
export interface Matrix {
  /** Prefix of the names of its tensors. */
  name: string;
  rows: number;
  columns: number;
  /** Returns the rows in order, several at a time. */
  blocks(): Iterable<Float32Array>;
}

/** Number of elements in memory at once: a megabyte. */
export const BLOCK = 2 ** 18;

/** A frozen matrix as it is stored. A lookup returns its rows. */
export function tableOf(weight: Value, read: ReadRange): Matrix {
  const { name } = (weight.node as GraphNode<'weight'>).attributes;
  const [rows, columns] = weight.shape as [number, number];
  return {
    ...{ name, rows, columns },
    *blocks() {
      const atOnce = Math.max(1, Math.floor(BLOCK / columns));
      for (let from = 0; from < rows; from += atOnce) {
        yield read(name, from * columns, Math.min(rows, from + atOnce) * columns);
      }
    },
  };
}

/** The frozen matrix W of a product x Wᵀ. For a product x W, it is the transpose, which is read as a whole. */
export function frozenFactor(product: GraphNode<'matmul'>, read: ReadRange): Matrix {
  const table = tableOf(product.inputs[1], read);
  if (product.attributes.transposeB) return table;
  const { name, rows: columns, columns: rows } = table;
  return {
    ...{ name: `${name}.turned`, rows, columns },
    *blocks() {
      const stored = read(name, 0, rows * columns);
      const turned = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row++) {
        for (let i = 0; i < columns; i++) turned[row * columns + i] = stored[i * rows + row]!;
      }
      yield turned;
    },
  };
}

/** A form in which a file stores a frozen matrix, other than one float per element. */
export interface MatrixForm {
  fits(matrix: Matrix): boolean;
  /** Emits x Wᵀ for x [rows, columns]. */
  product?(emitter: Emitter, matrix: Matrix, x: string, rows: Dimension): string;
  /** Emits the rows with the given ids, [...ids, columns]. */
  rows?(emitter: Emitter, matrix: Matrix, ids: string): string;
}
