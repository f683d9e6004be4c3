import type { Decoders } from '../../src/input/media/media.ts';

/** The files that the rows of a table name, by their paths. All are of one medium. */
export interface RowFiles {
  medium: keyof Decoders;
  files: ReadonlyMap<string, Blob>;
}

/** The medium of files, or texts. */
export type Medium = RowFiles['medium'] | 'text';

/** Words of the page for a file of a medium. */
export const NOUNS: Record<RowFiles['medium'], string> = { image: 'picture', audio: 'sound' };

/** Words of the page for what models read. */
export const MEDIUM_NOUNS: Readonly<Record<string, string>> = {
  text: 'texts',
  image: 'pictures',
  audio: 'sounds',
};

/** Converts a compressed sound to WAV. Only the page's thread can, because workers have no decoder of sounds. */
export type ToWav = (sound: File) => Promise<File>;
