import type { Random } from '../../../support/random.ts';
import { Sha256 } from '../../../support/sha256.ts';
import type { FileContent } from '../medium.ts';
import { readImageHeader } from './image-header.ts';
import { flipped, type PixelBox, type Pixels } from './pixels.ts';
import type { ImageProcessor } from './processor.ts';
import { resize } from './resize.ts';
import { thumbnail } from './thumbnail.ts';

/**
 * Decodes a file; in Node and in a page by different libraries. `name` is for messages.
 *
 * @throws FileTooLarge for an image with more than `maxPixels`
 */
export type DecodeImage = (bytes: Uint8Array, name: string, maxPixels?: number) => Promise<Pixels>;

/** An image as it is kept in memory: resized for the model, but not cropped. */
export interface ImageContent extends FileContent {
  pixels: Pixels;
}

/** Length of the sides of an image's `small`. */
const SMALL = 16;

/** Reads images for a model. */
export class ImageReader {
  readonly #processor: ImageProcessor;
  readonly #decode: DecodeImage;

  constructor(processor: ImageProcessor, decode: DecodeImage) {
    this.#processor = processor;
    this.#decode = decode;
  }

  /** [channels, height, width] */
  get shape(): readonly number[] {
    const { height, width } = this.#processor.input;
    return [3, height, width];
  }

  /** @throws UserError for a file that is damaged, too large or no image */
  async read(bytes: Uint8Array, name: string, maxPixels?: number): Promise<ImageContent> {
    const header = readImageHeader(bytes);
    if (header) this.#processor.assertFits(header, name);
    const pixels = await this.#processor.resized(await this.#decode(bytes, name, maxPixels), name);
    return {
      medium: 'image',
      pixels,
      small: resize(pixels, SMALL, SMALL, 'bilinear').data,
      digest: new Sha256().update(bytes).digest('hex'),
      preview: () => thumbnail(pixels),
    };
  }

  /** Writes the model's values. `random` chooses a crop, and whether it is flipped. */
  write({ pixels }: ImageContent, target: Float32Array, start: number, random?: Random): void {
    let seen = random
      ? this.#processor.cut(pixels, randomBox(pixels, random))
      : this.#processor.center(pixels);
    if (random && random.uniform() < 0.5) seen = flipped(seen);
    this.#processor.write(seen, target, start);
  }
}

/** The share of an image's area that a random crop keeps, and the ratio of its sides. */
const AREA = [0.5, 1] as const;
const RATIO = [3 / 4, 4 / 3] as const;
const TRIES = 10;

/** A rectangle of random size and ratio, as torchvision's RandomResizedCrop draws it. */
function randomBox({ width, height }: Pixels, random: Random): PixelBox {
  for (let i = 0; i < TRIES; i++) {
    const area = width * height * between(AREA, random);
    const ratio = Math.exp(between([Math.log(RATIO[0]), Math.log(RATIO[1])], random));
    const [w, h] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const left = Math.floor(random.uniform() * (width - w + 1));
    const top = Math.floor(random.uniform() * (height - h + 1));
    return { left, top, width: w, height: h };
  }
  return { left: 0, top: 0, width, height };
}

const between = ([low, high]: readonly [number, number], random: Random) =>
  low + random.uniform() * (high - low);
