import { PictureTooLarge } from '../../../input/pictures/pixels.ts';
import type { Pictures } from '../../../program/modalities/pictures.ts';
import { Turns } from '../../../support/turns.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ServedText } from './service.ts';
import { BadPicture } from './service-errors.ts';

/** Maximum number of pixels of a request's picture. Current phones save 12 to 24 million. */
const MAX_SENT_PIXELS = 25_000_000;

const DATA_URL = /^data:[\w.+-]+\/[\w.+-]+;base64,/;

/** Decodes the pictures of requests. */
export class SentPictures {
  /** The pictures of one request at a time, because a decoded picture takes up to 100 MB. */
  readonly #turns = new Turns();

  /**
   * Reads the pictures of a request: the bytes of a file, or a text with the bytes in base64.
   *
   * @throws BadPicture for a text that is not base64 and for a damaged file; PictureTooLarge; the signal's reason
   */
  async read(
    inputs: readonly ServedText[],
    pictures: Pictures,
    signal?: AbortSignal,
  ): Promise<readonly unknown[]> {
    const files = inputs.map(({ text, pair, image }, i) => {
      const where = image && text !== '' ? text : `inputs[${i}]`;
      const content = image ?? text;
      if (pair !== undefined) throw bad(where, 'is a pair of texts, but the model reads pictures');
      return { text: where, image: typeof content === 'string' ? fromBase64(content, where) : content };
    });
    return this.#turns.run(async () => {
      signal?.throwIfAborted();
      try {
        return await pictures.withMaxPixels(MAX_SENT_PIXELS).readInputs(files);
      } catch (error) {
        if (!(error instanceof UserError) || error instanceof PictureTooLarge) throw error;
        throw new BadPicture(error.message);
      }
    });
  }
}

function fromBase64(text: string, where: string): Uint8Array {
  if (/^(https?|file|ftp):/i.test(text))
    throw bad(where, 'is an address, which the server does not open', 'Send the picture itself in base64.');
  try {
    // Spaces and line breaks are removed, and the URL alphabet is accepted.
    const characters = atob(text.replace(DATA_URL, '').replaceAll('-', '+').replaceAll('_', '/'));
    if (characters.length > 0) return Uint8Array.from(characters, (character) => character.charCodeAt(0));
  } catch {}
  throw bad(
    where,
    'is no picture in base64',
    'Send the bytes of a file, also as a data URL, or use multipart/form-data.',
  );
}

function bad(where: string, fault: string, hint?: string): BadPicture {
  return new BadPicture({ where, fault, hint });
}
