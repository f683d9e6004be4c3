import type { Dimension } from '../../graph/dimension.ts';
import type { Emitter } from '../../onnx/emitter.ts';
import type { Matrix } from './matrix.ts';

/** A form in which a file stores a frozen matrix, other than one float per element. */
export interface MatrixForm {
  fits(matrix: Matrix): boolean;
  /** Emits x Wᵀ for x [rows, columns]. */
  product?(emitter: Emitter, matrix: Matrix, x: string, rows: Dimension): string;
  /** Emits the rows with the given ids, [...ids, columns]. */
  rows?(emitter: Emitter, matrix: Matrix, ids: string): string;
}
