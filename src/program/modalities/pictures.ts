import type { TextFile } from '../../input/data/text-file.ts';
import type { Picture, PictureReader } from '../../input/pictures/picture-reader.ts';
import { UserError } from '../../support/user-error.ts';
import { PIXELS } from '../objectives/model-inputs.ts';
import type {
  BatchForm,
  EncodedRows,
  EncodingOptions,
  Modality,
  Part,
  PartRow,
  RowInputs,
} from './modality.ts';
import { loadedInputs, withPictures } from './picture-files.ts';
import { PictureSet } from './picture-set.ts';

export interface PictureRow extends RowInputs {
  /** [3, height, width] */
  values: Float32Array;
  dims: readonly number[];
}

/** Pictures as a model reads them: all have the same size and number of tokens. */
export class Pictures implements Modality<Picture> {
  readonly reads = 'image';
  readonly maxLength: number;
  readonly tokens: number;
  readonly #reader: PictureReader;

  /** @param tokens number of tokens of a picture */
  constructor(reader: PictureReader, tokens: number) {
    this.#reader = reader;
    this.maxLength = tokens;
    this.tokens = tokens;
  }

  /** @param maxPixels maximum number of pixels of a picture */
  withMaxPixels(maxPixels: number): Pictures {
    return new Pictures(this.#reader.withMaxPixels(maxPixels), this.tokens);
  }

  at(): Pictures {
    return this;
  }

  withContent<File extends TextFile>(files: readonly File[], reading: object) {
    return withPictures(files, reading, this.#reader);
  }

  readInputs(inputs: readonly unknown[]): Promise<readonly unknown[]> {
    return loadedInputs(inputs, this.#reader);
  }

  item({ text, picture }: Part): Picture {
    if (picture) return picture;
    throw new UserError({
      where: text,
      fault: 'is no picture, but the model reads pictures',
      code: 'unsupported',
    });
  }

  set(pictures: Iterable<Picture>): PictureSet {
    return new PictureSet(pictures, this.#reader.processor, this.tokens);
  }

  rows(rows: readonly PartRow[], { augment }: EncodingOptions = {}): EncodedRows {
    const pictures = rows.map((row) => this.item(row));
    const set = this.set(pictures);
    const numbers = pictures.map((picture) => set.numberOf(picture));
    return {
      lengths: new Int32Array(rows.length).fill(this.tokens),
      truncated: 0,
      feeds(chosen, batch) {
        const some = chosen.map((row) => numbers[row]!);
        return augment === undefined ? set.feeds(some) : set.augmented(some, augment, batch);
      },
    };
  }

  get batches(): BatchForm<PictureRow> {
    return {
      rowsOf: ({ [PIXELS]: pixels }) => {
        const [batch, ...dims] = pixels!.dims as [number, ...number[]];
        const values = pixels!.data as Float32Array;
        const size = values.length / batch;
        return Array.from({ length: batch }, (_, row) => ({
          length: this.tokens,
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

  /** No picture is truncated. */
  checkLengths(): void {}
}
