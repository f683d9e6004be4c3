import type { DecodeImage } from './images/image-reader.ts';
import { IMAGES } from './images/medium.ts';
import type { Medium } from './medium.ts';
import { SOUNDS } from './sounds/medium.ts';
import type { DecodeSound } from './sounds/sound-reader.ts';

/** The media that models read. */
export const MEDIA: readonly Medium[] = [IMAGES, SOUNDS];

/** A machine's decoders, by the names of media. */
export interface Decoders {
  image: DecodeImage;
  audio: DecodeSound;
}

/** For models that are only described. */
export const NO_DECODERS: Decoders = {
  image: async () => {
    throw new Error('no decoder for images');
  },
  audio: async () => {
    throw new Error('no decoder for sounds');
  },
};

/** @param name a medium's name, or `text` */
export function mediumNamed(name: string | undefined): Medium | undefined {
  return MEDIA.find((medium) => medium.name === name);
}

/** The medium of files with these names. Undefined for texts, and without names. */
export function findMedium(names: readonly string[]): Medium | undefined {
  if (names.length === 0) return undefined;
  return MEDIA.find(({ files }) => names.every((name) => files.test(name)));
}

/** The medium of a file with these first bytes. */
export function recognizeMedium(head: Uint8Array): Medium | undefined {
  return MEDIA.find((medium) => medium.recognizes(head));
}
