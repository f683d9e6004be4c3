import type { Tensors } from '../../engine/runtime/session.ts';
import type { Picture } from '../../input/pictures/picture-reader.ts';
import { flipped, type PixelBox, type Pixels } from '../../input/pictures/pixels.ts';
import type { PictureProcessor } from '../../input/pictures/processor.ts';
import { Random } from '../../support/random.ts';
import { PIXELS } from '../objectives/model-inputs.ts';
import { InputSet } from './input-set.ts';

/** Distinct pictures. The same file is computed once. */
export class PictureSet extends InputSet<Picture> {
  readonly lengths: Int32Array;
  readonly truncated = 0;
  readonly #pictures: readonly Picture[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #processor: PictureProcessor;

  /** @param tokens number of tokens of a picture */
  constructor(pictures: Iterable<Picture>, processor: PictureProcessor, tokens: number) {
    super();
    const distinct = new Map(Array.from(pictures, (picture) => [picture.digest, picture]));
    this.#pictures = [...distinct.values()];
    this.#numbers = new Map([...distinct.keys()].map((digest, number) => [digest, number]));
    this.#processor = processor;
    this.lengths = new Int32Array(distinct.size).fill(tokens);
  }

  override numberOf({ digest }: Picture): number {
    return this.#numbers.get(digest) as number;
  }

  override feeds(numbers: readonly number[]): Tensors {
    return this.#values(numbers, ({ pixels }) => this.#processor.centre(pixels));
  }

  /** Like {@link feeds}, with random crops and flips that depend on the seed and the number of the batch. */
  augmented(numbers: readonly number[], seed: number, batch: number): Tensors {
    const random = new Random(seed, 'augment', batch);
    return this.#values(numbers, ({ pixels }) => {
      const cut = this.#processor.cut(pixels, randomBox(pixels, random));
      return random.uniform() < 0.5 ? flipped(cut) : cut;
    });
  }

  #values(numbers: readonly number[], shown: (picture: Picture) => Pixels): Tensors {
    const { height, width } = this.#processor.input;
    const size = 3 * height * width;
    const data = new Float32Array(numbers.length * size);
    for (const [i, number] of numbers.entries())
      this.#processor.write(shown(this.#pictures[number]!), data, i * size);
    return { [PIXELS]: { data, dims: [numbers.length, 3, height, width] } };
  }
}

/** The share of a picture's area that a random crop keeps, and the ratio of its sides. */
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
