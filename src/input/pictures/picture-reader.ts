import { Sha256 } from '../../support/sha256.ts';
import { pictureFacts } from './picture-size.ts';
import type { Pixels } from './pixels.ts';
import type { PictureProcessor } from './processor.ts';
import { resize } from './resize.ts';

/**
 * Decodes a file; in Node and in a page by different libraries. `name` is for messages.
 *
 * @throws PictureTooLarge for a picture with more than `maxPixels`
 */
export type DecodePicture = (bytes: Uint8Array, name: string, maxPixels?: number) => Promise<Pixels>;

/** A picture as it is kept in memory: resized for the model, but not cropped. */
export interface Picture {
  pixels: Pixels;
  /** The picture at 16 x 16. It finds near-equal pictures, and the baseline reads it. */
  small: Uint8Array;
  /** Hash of the file. */
  digest: string;
}

/** Length of the sides of {@link Picture.small}. */
const SMALL = 16;

/** Files decoded at a time. Decoding in Node runs on four threads. */
const AT_A_TIME = 4;

/** Reads pictures for a model. */
export class PictureReader {
  readonly processor: PictureProcessor;
  readonly #decode: DecodePicture;
  readonly #maxPixels: number | undefined;

  /** @param maxPixels maximum number of pixels of a picture, if other than the decoder's */
  constructor(processor: PictureProcessor, decode: DecodePicture, maxPixels?: number) {
    this.processor = processor;
    this.#decode = decode;
    this.#maxPixels = maxPixels;
  }

  withMaxPixels(maxPixels: number): PictureReader {
    return new PictureReader(this.processor, this.#decode, maxPixels);
  }

  /** @throws UserError for a file that is damaged, too large or no picture */
  async read(bytes: Uint8Array, name: string): Promise<Picture> {
    const header = pictureFacts(bytes);
    if (header) this.processor.assertFits(header, name);
    const pixels = await this.processor.resized(await this.#decode(bytes, name, this.#maxPixels), name);
    return {
      pixels,
      small: resize(pixels, SMALL, SMALL, 'bilinear').data,
      digest: new Sha256().update(bytes).digest('hex'),
    };
  }

  /**
   * Reads several pictures.
   *
   * @param shownName a name for messages
   * @returns for each name a picture, or why it cannot be read
   */
  async readAll(
    names: Iterable<string>,
    open: (name: string) => Promise<Uint8Array>,
    shownName = (name: string) => name,
  ): Promise<Map<string, Picture | Error>> {
    const waiting = [...new Set(names)];
    const read = new Map<string, Picture | Error>(waiting.map((name) => [name, new Error('not read')]));
    const work = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const one = name;
        const picture = open(one).then((bytes) => this.read(bytes, shownName(one)));
        read.set(one, await picture.catch((error: Error) => error));
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return read;
  }
}
