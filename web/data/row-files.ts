import type { Decoders } from '../../src/input/media/media.ts';

/** The files that the rows of a table name, by their paths. All are of one medium. */
export interface RowFiles {
  medium: keyof Decoders;
  files: ReadonlyMap<string, Blob>;
}

/** Words of the page for a file of a medium. */
export const NOUNS: Record<RowFiles['medium'], string> = { image: 'picture', audio: 'sound' };

/** Converts a compressed sound to WAV. Only the page's thread can, because workers have no decoder of sounds. */
export type ToWav = (sound: File) => Promise<File>;
