import { checkTextSize, decodeText } from '../../input/data/detect-format.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { blobSource, sourceDigest } from '../../input/formats/byte-source.ts';
import { MAX_FILE_BYTES } from '../../input/media/medium.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * A page's data files by their names in the config, and the files that their rows name. Each is a user's `File`, or
 * text.
 */
export type PageTexts = Readonly<Record<string, Blob | string>>;

/**
 * Reads a text file.
 *
 * @param key the config's key that names it
 * @throws UserError if the page does not have it, or it is too large or not UTF-8
 */
export async function pageTextFile(files: PageTexts, name: string, key: string): Promise<TextFile> {
  if (!Object.hasOwn(files, name)) {
    const names = Object.keys(files);
    const hint = suggest(name, names) || `There are: ${names.join(', ') || 'none'}.`;
    throw new UserError({
      where: key,
      fault: `names ${JSON.stringify(name)}, which is not a file of the page`,
      hint,
    });
  }
  const content = files[name]!;
  const blob = typeof content === 'string' ? new Blob([content]) : content;
  checkTextSize(blob.size, name);
  const source = blobSource(blob, name);
  const text = decodeText(await source.read(0, blob.size), name);
  return {
    name,
    size: blob.size,
    read: () => text,
    digest: () => sourceDigest(source),
    openContent: (file) => openPageFile(files, file),
  };
}

/** Reads a file that a row names. Throws a UserError if the page does not have it, or it is too large. */
export async function openPageFile(files: PageTexts, name: string): Promise<Uint8Array> {
  const file = Object.hasOwn(files, name) ? files[name] : undefined;
  if (!(file instanceof Blob)) throw new UserError({ where: name, fault: 'is not a file of the page' });
  if (file.size > MAX_FILE_BYTES)
    throw new UserError({ where: name, fault: `has ${file.size} bytes, more than ${MAX_FILE_BYTES}` });
  return blobSource(file, name).read(0, file.size);
}
