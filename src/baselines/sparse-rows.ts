/** Rows of a sparse matrix: row `i` has `columns` and `values` from `starts[i]` to `starts[i + 1]`. */
export interface SparseRows {
  starts: Int32Array;
  columns: Int32Array;
  values: Float64Array;
}
