import { parseRows } from '../../input/data/parse-rows.ts';
import type { DataOptions } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { Picture, PictureReader } from '../../input/pictures/picture-reader.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
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
import { PictureSet } from './picture-set.ts';

/** A file whose content includes the hashes of its pictures, to identify the data of a run. */
export function withDigests<File extends TextFile>(file: File): File {
  const digests = [...(file.pictures ?? [])].map(([name, picture]) =>
    picture instanceof Error ? name : `${name} ${picture.digest}`,
  );
  return { ...file, read: () => [file.read(() => {}), ...digests.sort()].join('\n') };
}

/** Models to fine-tune on pictures, with what they cost: download and time on two cores. */
export const VISION_MODELS = [
  { name: 'facebook/dinov2-small', parameters: 22, megabytes: 88, seconds: 0.1 },
  { name: 'google/vit-base-patch16-224-in21k', parameters: 86, megabytes: 346, seconds: 0.4 },
  { name: 'facebook/dinov2-base', parameters: 86, megabytes: 346, seconds: 0.5 },
] as const;

/** The error for pictures with a model of texts. */
export function needsVision(where: string): UserError {
  return new InvalidData({
    where,
    fault: 'has pictures, but the model reads texts',
    hint: `Set model to a vision transformer, such as ${VISION_MODELS.map(({ name }) => name).join(', ')}.`,
  });
}

/** An input with the content of a file, or with a picture that was read before. */
export interface PictureInput {
  text?: string;
  /** The bytes of a JPEG, PNG, WebP or GIF file, or a function that reads them. */
  image?: Uint8Array | (() => Promise<Uint8Array>);
  picture?: Picture;
}

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

  /** Files whose pictures have been read stay as they are. */
  withContent<File extends TextFile>(
    files: readonly File[],
    columns: readonly (string | number)[],
    layout: Partial<DataOptions>,
  ): Promise<readonly File[]> {
    const loaded = files.map(async (file) => {
      if (file.pictures) return file;
      if (!file.openPicture)
        throw new InvalidData({ where: file.name, fault: 'has no pictures, but the model reads pictures' });
      const content = file.read(() => {});
      const names = columns.flatMap((text) => {
        const options = {
          ...layout,
          text,
          text_pair: undefined,
          label: undefined,
          on_bad_row: 'skip',
        } as const;
        return parseRows(content, file.name, options).map((row) => row.text);
      });
      const pictures = await this.#reader.readAll(names, file.openPicture);
      // The function may keep the content of a whole parquet file in memory.
      return { ...file, openPicture: undefined, pictures };
    });
    return Promise.all(loaded);
  }

  async readInputs(inputs: readonly unknown[]): Promise<readonly unknown[]> {
    const given = inputs as readonly PictureInput[];
    const nameOf = (i: string) => given[Number(i)]!.text ?? `input ${Number(i) + 1}`;
    const open = async (i: string) => {
      const { image } = given[Number(i)]!;
      if (image) return typeof image === 'function' ? image() : image;
      throw new InvalidData({
        where: nameOf(i),
        fault: 'has no picture: `image` must be the bytes of a file',
      });
    };
    const read = await this.#reader.readAll(Object.keys(given), open, nameOf);
    return given.map(({ image: _, ...rest }, i) => {
      const picture = read.get(`${i}`)!;
      if (picture instanceof Error) throw picture;
      return { ...rest, text: nameOf(`${i}`), picture };
    });
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
