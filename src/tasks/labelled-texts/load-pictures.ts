import { parseRows } from '../../input/data/parse-rows.ts';
import { type DataOptions, type OnSkipped, type Row, RowProblems } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { alikePictures } from '../../input/pictures/alike.ts';
import type { Picture, PictureReader } from '../../input/pictures/picture-reader.ts';
import { InvalidData, type UserError } from '../../support/user-error.ts';

/**
 * Reads the pictures that the rows of files name. Without a reader, the model reads texts, and the files stay as they
 * are.
 */
export async function withPictures<File extends TextFile>(
  files: readonly File[],
  reading: object,
  reader: PictureReader | undefined,
): Promise<readonly File[]> {
  const { text = 'image' } = reading as Partial<DataOptions>;
  if (!reader) {
    const pictures = files.find(({ pictureColumns }) => pictureColumns?.includes(`${text}`));
    if (pictures) throw needsVision(pictures.name);
    return files;
  }
  const loaded = files.map(async (file) => {
    if (!file.openPicture)
      throw new InvalidData({ where: file.name, fault: 'has no pictures, but the model reads pictures' });
    const options = {
      ...reading,
      text,
      label: undefined,
      on_bad_row: 'skip',
    } as DataOptions;
    const names = parseRows(
      file.read(() => {}),
      file.name,
      options,
    ).map((row) => row.text);
    const pictures = await reader.readAll(names, file.openPicture);
    // The function may keep the content of a whole parquet file in memory.
    return { ...file, openPicture: undefined, pictures };
  });
  return Promise.all(loaded);
}

/** A file whose content includes the hashes of its pictures, to identify the data of a run. */
export function withDigests<File extends TextFile>(file: File): File {
  const digests = [...(file.pictures ?? [])].map(([name, picture]) =>
    picture instanceof Error ? name : `${name} ${picture.digest}`,
  );
  return { ...file, read: () => [file.read(() => {}), ...digests.sort()].join('\n') };
}

/** Models to fine-tune on pictures, with what they cost. */
const MODELS =
  'facebook/dinov2-small (22 million parameters, a download of 88 MB, about 0.1 s per picture and epoch on two cores), ' +
  'google/vit-base-patch16-224-in21k (86 million, 346 MB, 0.4 s) or facebook/dinov2-base (86 million, 346 MB, 0.5 s)';

function needsVision(where: string): UserError {
  return new InvalidData({
    where,
    fault: 'has pictures, but the model reads texts',
    hint: `Name a vision transformer with --model: ${MODELS}.`,
  });
}

/**
 * Gives rows of a file their pictures.
 *
 * @param onSkipped called with the reasons and the number of rows without a picture, if they are to be skipped
 * @throws UserError that lists all pictures that cannot be read, with their lines
 */
export function rowsWithPictures(
  rows: readonly Row[],
  { name, pictures }: Pick<TextFile, 'name' | 'pictures'>,
  onSkipped: OnSkipped | undefined,
): Row[] {
  if (!pictures) return [...rows];
  const problems = new RowProblems(name);
  const shown = rows.flatMap((row): Row[] => {
    const picture = pictures.get(row.text);
    if (picture && !(picture instanceof Error)) return [{ ...row, picture }];
    const why = picture?.message.replace(/\.$/, '') ?? row.text;
    const fault = `has a picture that cannot be read: ${why}`;
    problems.add(row.line, { kind: 'picture', fault });
    return [];
  });
  if (onSkipped) problems.tellSkipped(shown.length, onSkipped);
  else problems.throwIfAny();
  return shown;
}

/** Names the groups of near-equal pictures, so that they stay on one side of a split. */
export function withAlike(rows: readonly Row[]): Row[] {
  const pictures = rows.map(({ picture }) => picture);
  if (!pictures.every((picture): picture is Picture => picture !== undefined)) return [...rows];
  const first = alikePictures(pictures);
  return rows.map((row, i) => ({ ...row, alike: pictures[first[i]!]!.digest }));
}

/** A notice about near-equal pictures in a file. */
export function alikeNotice(rows: readonly Row[]): string | undefined {
  const names = new Map<string, string[]>();
  for (const { alike, text } of rows) if (alike) names.set(alike, [...(names.get(alike) ?? []), text]);
  const groups = [...names.values()].filter((group) => group.length > 1);
  if (groups.length === 0) return undefined;
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  return `${count} pictures are nearly equal to another one, such as ${groups[0]!.slice(0, 2).join(' and ')}. They stay on one side of a split.`;
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
  reader: PictureReader | undefined,
): Promise<readonly unknown[]> {
  if (!reader) return inputs;
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
