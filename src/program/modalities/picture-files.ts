import { parseRows } from '../../input/data/parse-rows.ts';
import type { DataOptions } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { Picture, PictureReader } from '../../input/pictures/picture-reader.ts';
import { InvalidData, type UserError } from '../../support/user-error.ts';

/** Reads the pictures that the rows of files name. Files whose pictures have been read stay as they are. */
export async function withPictures<File extends TextFile>(
  files: readonly File[],
  reading: object,
  reader: PictureReader,
): Promise<readonly File[]> {
  const columns = listColumns(reading);
  const loaded = files.map(async (file) => {
    if (file.pictures) return file;
    if (!file.openPicture)
      throw new InvalidData({ where: file.name, fault: 'has no pictures, but the model reads pictures' });
    const content = file.read(() => {});
    const names = columns.flatMap((text) => {
      const options = { ...reading, text, text_pair: undefined, label: undefined, on_bad_row: 'skip' };
      return parseRows(content, file.name, options as DataOptions).map((row) => row.text);
    });
    const pictures = await reader.readAll(names, file.openPicture);
    // The function may keep the content of a whole parquet file in memory.
    return { ...file, openPicture: undefined, pictures };
  });
  return Promise.all(loaded);
}

/** The columns of a `data` section that name pictures. */
function listColumns(reading: object): (string | number)[] {
  const { text, text_pair, anchor, positive, negative = [] } = reading as Record<string, string | number>;
  const named = [text, text_pair, anchor, positive, negative].flat().filter((column) => column !== undefined);
  return named.length > 0 ? named : ['image'];
}

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
    hint: `Name a vision transformer with --model, such as ${VISION_MODELS.map(({ name }) => name).join(', ')}.`,
  });
}

/** An input with the content of a file, or with a picture that was read before. */
export interface PictureInput {
  text?: string;
  /** The bytes of a JPEG, PNG, WebP or GIF file, or a function that reads them. */
  image?: Uint8Array | (() => Promise<Uint8Array>);
  picture?: Picture;
}

/**
 * Decodes the pictures of inputs.
 *
 * @throws UserError for a picture that cannot be read
 */
export async function loadedInputs(
  inputs: readonly unknown[],
  reader: PictureReader,
): Promise<readonly unknown[]> {
  const names = inputs.map((_, i) => String(i));
  const nameOf = (i: string) => (inputs[Number(i)] as PictureInput).text ?? `input ${Number(i) + 1}`;
  const open = async (i: string) => {
    const { image } = inputs[Number(i)] as PictureInput;
    if (image) return typeof image === 'function' ? image() : image;
    throw new InvalidData({ where: nameOf(i), fault: 'has no picture: `image` must be the bytes of a file' });
  };
  const read = await reader.readAll(names, open, nameOf);
  return inputs.map((input, i) => {
    const { image: _, ...rest } = input as PictureInput;
    const picture = read.get(String(i))!;
    if (picture instanceof Error) throw picture;
    return { ...rest, text: nameOf(String(i)), picture };
  });
}
