import { PIXELS } from '../objectives/model-inputs.ts';
import type { BatchForm, RowInputs } from './modality.ts';

interface PictureRow extends RowInputs {
  /** [3, height, width] */
  values: Float32Array;
  dims: readonly number[];
}

/**
 * Batches of pictures. All have the same size.
 *
 * @param tokens number of tokens of a picture
 */
export function pictureBatches(tokens: number): BatchForm<PictureRow> {
  return {
    rowsOf({ [PIXELS]: pixels }) {
      const [batch, ...dims] = pixels!.dims as [number, ...number[]];
      const values = pixels!.data as Float32Array;
      const size = values.length / batch;
      return Array.from({ length: batch }, (_, row) => ({
        length: tokens,
        values: values.subarray(row * size, (row + 1) * size),
        dims,
      }));
    },
    joined(rows) {
      const [{ values, dims }] = rows as [PictureRow];
      const data = new Float32Array(rows.length * values.length);
      for (const [row, picture] of rows.entries()) data.set(picture.values, row * values.length);
      return { [PIXELS]: { data, dims: [rows.length, ...dims] } };
    },
  };
}
