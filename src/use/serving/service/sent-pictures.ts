import { hasPictureSignature, pictureFacts } from '../../../input/pictures/picture-size.ts';
import { PictureTooLarge } from '../../../input/pictures/pixels.ts';
import type { Pictures } from '../../../program/modalities/pictures.ts';
import { addUp } from '../../../support/numbers.ts';
import { Turns } from '../../../support/turns.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ServedText } from './service.ts';
import { BadPicture } from './service-errors.ts';

/** Maximum number of pixels of a request's picture. Current phones save 12 to 24 million. */
const MAX_SENT_PIXELS = 25_000_000;

/** Maximum number of pixels of a request, so that others wait a few seconds at most. */
const MAX_REQUEST_PIXELS = 100_000_000;

/** Characters of a text that may be before its base64, and that are decoded before the rest. */
const MAX_PREFIX = 200;
const HEAD = 128;

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
    const headers = files.map(({ image }) => pictureFacts(image));
    const pixels = addUp(headers, (header) => (header ? header.width * header.height : 0));
    if (pixels > MAX_REQUEST_PIXELS)
      throw new PictureTooLarge({
        where: 'inputs',
        fault: `have ${pixels} pixels, more than ${MAX_REQUEST_PIXELS / 1e6} million in one request`,
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
  const start = DATA_URL.exec(text.slice(0, MAX_PREFIX))?.[0].length ?? 0;
  try {
    const head = decodeBase64(
      text
        .slice(start, start + HEAD)
        .replace(/\s/g, '')
        .slice(0, HEAD / 2),
    );
    // The reader rejects other files by their head.
    if (head.length > 0) return hasPictureSignature(head) ? decodeBase64(text.slice(start)) : head;
  } catch {}
  throw bad(
    where,
    'is no picture in base64',
    'Send the bytes of a file, also as a data URL, or use multipart/form-data.',
  );
}

/** Spaces and line breaks are removed, and the URL alphabet is accepted. */
function decodeBase64(text: string): Uint8Array {
  const characters = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

function bad(where: string, fault: string, hint?: string): BadPicture {
  return new BadPicture({ where, fault, hint });
}
