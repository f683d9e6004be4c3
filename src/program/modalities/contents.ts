import type { Tensors } from '../../engine/runtime/session.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import type { DataOptions } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { ImageReader } from '../../input/media/images/image-reader.ts';
import { IMAGES } from '../../input/media/images/medium.ts';
import { ImageProcessor } from '../../input/media/images/processor.ts';
import type { Decoders } from '../../input/media/media.ts';
import type { FileContent, Medium } from '../../input/media/medium.ts';
import { SOUNDS } from '../../input/media/sounds/medium.ts';
import { SoundReader } from '../../input/media/sounds/sound-reader.ts';
import { PIXELS, type VisionConfig, withImageSize } from '../../models/families/vision/tower.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { elementCount } from '../../support/arrays.ts';
import { Random } from '../../support/random.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import { InputSet } from './input-set.ts';
import type {
  BatchForm,
  EncodedRows,
  EncodingOptions,
  Modality,
  Part,
  PartRow,
  RowInputs,
} from './modality.ts';
import { requireTexts, type Texts } from './texts.ts';

/** How a model reads the files of a medium. */
interface ContentReader<Item extends FileContent = FileContent> {
  /** The shape of the model's input for one file. */
  readonly shape: readonly number[];
  /**
   * @param most maximum size in the unit of requests, if other than the decoder's
   * @param isWhole whether to keep what a model reads only in parts
   * @throws UserError for a file that is damaged, too large or of another kind
   */
  read(bytes: Uint8Array, name: string, most?: number, isWhole?: boolean): Promise<Item>;
  /** Writes the model's values to `target` at `start`. `random` changes them for training. */
  write(item: Item, target: Float32Array, start: number, random?: Random): void;
}

/** The models of a medium. `settings` is the content of their preprocessor_config.json, and `where` its name. */
export interface ContentModel<Config> {
  /** The config for the inputs that the settings make. */
  fit(config: Config, settings: unknown, where: string, modelType: string): CommonConfig;
  /** @throws UserError for settings that are not supported */
  modality(
    config: Config,
    settings: unknown,
    where: string,
    modelType: string,
    decoders: Decoders,
    written?: () => Texts | undefined,
  ): Modality;
}

/** Files decoded at a time. Decoding in Node runs on four threads. */
const AT_A_TIME = 4;

interface ContentRow extends RowInputs {
  values: Float32Array;
}

/** Files as a model reads them: all have the same shape and number of tokens. */
export class Contents<Item extends FileContent = FileContent> implements Modality<Item> {
  readonly reads: string;

  /**
   * @param input name of the model's input
   * @param tokens number of tokens of a file
   */
  constructor(
    readonly medium: Medium,
    private readonly reader: ContentReader<Item>,
    readonly input: string,
    readonly tokens: number,
    private readonly written: () => Texts | undefined = () => undefined,
  ) {
    this.reads = medium.name;
  }

  /** The texts that the model writes. */
  get writes(): Texts | undefined {
    return this.written();
  }

  get maxLength(): number {
    return this.tokens;
  }

  at(): this {
    return this;
  }

  /** Files whose contents have been read stay as they are. */
  withContent<File extends TextFile>(
    files: readonly File[],
    columns: readonly (string | number)[],
    layout: Partial<DataOptions>,
  ): Promise<readonly File[]> {
    const { plural, name: column } = this.medium;
    const loaded = files.map(async (file) => {
      if (file.contents) return file;
      if (!file.openContent)
        throw new InvalidData({
          where: file.name,
          fault: `has no ${plural}, but the model reads ${plural}`,
        });
      const content = file.read(() => {});
      const names = (columns.length > 0 ? columns : [column]).flatMap((text) => {
        const options = {
          ...layout,
          text,
          text_pair: undefined,
          label: undefined,
          on_bad_row: 'skip',
        } as const;
        return parseRows(content, file.name, options).map((row) => row.text);
      });
      const contents = await this.#readAll(names, file.openContent);
      // The function may keep the content of a whole parquet file in memory.
      return { ...file, openContent: undefined, contents };
    });
    return Promise.all(loaded);
  }

  async readInputs(inputs: readonly unknown[], most?: number): Promise<readonly unknown[]> {
    const { name: key } = this.medium;
    const asked = inputs as readonly Readonly<Record<string, unknown>>[];
    const nameOf = (i: string) => String(asked[Number(i)]!.text ?? `input ${Number(i) + 1}`);
    const open = async (i: string) => {
      const file = asked[Number(i)]![key];
      const bytes = typeof file === 'function' ? await file() : file;
      if (bytes instanceof Uint8Array) return bytes;
      throw new InvalidData({
        where: nameOf(i),
        fault: `has no ${key}: \`${key}\` must be the bytes of a file`,
      });
    };
    const read = await this.#readAll(Object.keys(asked), open, nameOf, { most, isWhole: true });
    return asked.map(({ [key]: _, ...rest }, i) => {
      const content = read.get(`${i}`)!;
      if (content instanceof Error) throw content;
      return { ...rest, text: nameOf(`${i}`), content };
    });
  }

  /** Reads each file once. Returns for each name its content, or why it cannot be read. */
  async #readAll(
    names: Iterable<string>,
    open: (name: string) => Promise<Uint8Array>,
    shownName = (name: string) => name,
    { most, isWhole }: { most?: number | undefined; isWhole?: boolean } = {},
  ): Promise<Map<string, Item | Error>> {
    const waiting = [...new Set(names)];
    const read = new Map<string, Item | Error>(waiting.map((name) => [name, new Error('not read')]));
    const work = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const one = name;
        const content = open(one).then((bytes) => this.reader.read(bytes, shownName(one), most, isWhole));
        read.set(one, await content.catch((error: Error) => error));
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return read;
  }

  item({ text, content }: Part): Item {
    if (content) return content as Item;
    const { name, plural } = this.medium;
    throw new UserError({
      where: text,
      fault: `is no ${name}, but the model reads ${plural}`,
      code: 'unsupported',
    });
  }

  set(items: Iterable<Item>): ContentSet<Item> {
    return new ContentSet(items, this.reader, this.input, this.tokens);
  }

  rows(rows: readonly PartRow[], { augment }: EncodingOptions = {}): EncodedRows {
    const items = rows.map((row) => this.item(row));
    const set = this.set(items);
    const numbers = items.map((item) => set.numberOf(item));
    return {
      lengths: new Int32Array(rows.length).fill(this.tokens),
      truncated: 0,
      feeds(chosen, batch) {
        const random = augment === undefined ? undefined : new Random(augment, 'augment', batch);
        return set.feeds(
          chosen.map((row) => numbers[row]!),
          random,
        );
      },
    };
  }

  /** The same files with an input whose values are known, by their digests. */
  known(input: string, shape: readonly number[], values: ReadonlyMap<string, Float32Array>): Contents<Item> {
    const reader: ContentReader<Item> = {
      shape,
      read: (bytes, name, most) => this.reader.read(bytes, name, most),
      write: ({ digest }, target, start) => target.set(values.get(digest)!, start),
    };
    return new Contents(this.medium, reader, input, this.tokens, this.written);
  }

  get batches(): BatchForm<ContentRow> {
    const { input, tokens } = this;
    const { shape } = this.reader;
    const size = elementCount(shape);
    return {
      rowsOf({ [input]: batch }) {
        const values = batch!.data as Float32Array;
        return Array.from({ length: batch!.dims[0]! }, (_, row) => ({
          length: tokens,
          values: values.subarray(row * size, (row + 1) * size),
        }));
      },
      joined(rows) {
        const data = new Float32Array(rows.length * size);
        for (const [row, { values }] of rows.entries()) data.set(values, row * size);
        return { [input]: { data, dims: [rows.length, ...shape] } };
      },
    };
  }

  /** No file is truncated. */
  checkLengths(): void {}
}

/** Distinct contents. The same file is computed once. */
class ContentSet<Item extends FileContent> extends InputSet<Item> {
  readonly lengths: Int32Array;
  readonly truncated = 0;
  readonly #items: readonly Item[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #reader: ContentReader<Item>;
  readonly #input: string;

  constructor(items: Iterable<Item>, reader: ContentReader<Item>, input: string, tokens: number) {
    super();
    const distinct = new Map(Array.from(items, (item) => [item.digest, item]));
    this.#items = [...distinct.values()];
    this.#numbers = new Map([...distinct.keys()].map((digest, number) => [digest, number]));
    this.#reader = reader;
    this.#input = input;
    this.lengths = new Int32Array(distinct.size).fill(tokens);
  }

  override numberOf({ digest }: Item): number {
    return this.#numbers.get(digest) as number;
  }

  /** @param random changes the contents, if given */
  override feeds(numbers: readonly number[], random?: Random): Tensors {
    const { shape } = this.#reader;
    const size = elementCount(shape);
    const data = new Float32Array(numbers.length * size);
    for (const [i, number] of numbers.entries())
      this.#reader.write(this.#items[number]!, data, i * size, random);
    return { [this.#input]: { data, dims: [numbers.length, ...shape] } };
  }
}

/** The texts that a model writes: those that it reads, or for a model of a medium its own. */
export function writtenTexts(modality: Modality): Texts {
  return (modality instanceof Contents ? modality.writes : undefined) ?? requireTexts(modality);
}

/** Models of images. */
export const IMAGE_MODEL: ContentModel<VisionConfig<unknown>> = {
  fit: (config, settings, where, modelType) =>
    withImageSize(config, new ImageProcessor(settings, where, modelType).input),
  modality({ maxLength }, settings, where, modelType, { image }) {
    const reader = new ImageReader(new ImageProcessor(settings, where, modelType), image);
    return new Contents(IMAGES, reader, PIXELS, maxLength) as Modality;
  },
};

/** Models of sounds. Their input has the same size whatever their settings are. */
const SOUND_MODEL: ContentModel<CommonConfig> = {
  fit: (config) => config,
  modality({ content, maxLength }, settings, where, _modelType, { audio }, written) {
    const { input, shape } = content!;
    const reader = new SoundReader(shape as [number, number], settings, where, audio);
    return new Contents(SOUNDS, reader, input, maxLength!, written) as Modality;
  },
};

/** The models of each medium, by its name. */
export const CONTENT_MODELS: Readonly<Record<string, ContentModel<CommonConfig>>> = {
  image: IMAGE_MODEL as unknown as ContentModel<CommonConfig>,
  audio: SOUND_MODEL,
};
