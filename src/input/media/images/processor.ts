import { z } from 'zod';
import { roundHalfEven } from '../../../support/numbers.ts';
import { InvalidData, InvalidFile, shown } from '../../../support/user-error.ts';
import { crop, type PixelBox, type Pixels } from './pixels.ts';
import { RESAMPLINGS, type Resampling, resize, resizeInSteps } from './resize.ts';

/** Longest edge of a model's input. The largest published vision transformers read about 1,000 pixels. */
const MAX_EDGE = 4096;
/** Longest edge of a resized image. Only a strip has more, because its shorter edge keeps its length. */
const MAX_RESIZED = 65_536;

const edge = z.int().min(1).max(MAX_EDGE);
const square = (length: number) => ({ height: length, width: length });
const rectangle = z.strictObject({ height: edge, width: edge });
const shortest = z.strictObject({ shortest_edge: edge, longest_edge: edge.nullish() });
const channels = z.union([z.number(), z.array(z.number()).length(3)]);

/** Keys that do not change the values of one image in RGB. */
const WITHOUT_EFFECT = new Set([
  ...['processor_class', 'auto_map', 'model_input_names', '_valid_processor_keys', 'image_seq_length'],
  ...['do_convert_rgb', 'pad_size', 'data_format', 'input_data_format', 'return_tensors', 'device'],
  ...['disable_grouping'],
]);

const schema = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().nullish(),
  size: z.union([edge, rectangle, shortest]).nullish(),
  default_to_square: z.boolean().nullish(),
  resample: z.int().min(0).max(5).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([edge, rectangle]).nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: channels.nullish(),
  image_std: channels.nullish(),
});

type Size = { height: number; width: number } | z.infer<typeof shortest>;

/** Defaults of a class of transformers, for keys that the file does not have. */
interface Defaults {
  size: Size;
  /** Whether a size that is a single number means a square, instead of the shorter edge. */
  isSquare: boolean;
  resample: number;
  crop: number | undefined;
  mean: readonly number[];
  std: readonly number[];
}

const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const CLIP = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] };
const SHORTEST = { size: { shortest_edge: 224 }, isSquare: false, resample: 3, crop: 224, ...CLIP };

/** Class names of transformers start with these. Names end in `ImageProcessor`, and `Fast`, or `FeatureExtractor`. */
const KINDS: Readonly<Record<string, Defaults>> = {
  ViT: { size: square(224), isSquare: true, resample: 2, crop: undefined, ...HALF },
  DeiT: { size: square(256), isSquare: true, resample: 3, crop: 224, ...HALF },
  Bit: SHORTEST,
  CLIP: SHORTEST,
  Siglip: { size: square(224), isSquare: false, resample: 3, crop: undefined, ...HALF },
};

/** The class of a model's processor by the start of its `model_type`, if the file names none. */
const KIND_OF_MODEL = { vit: 'ViT', deit: 'DeiT', dinov2: 'Bit', clip: 'CLIP', siglip: 'Siglip' } as const;

/**
 * Prepares images for a model as a class of transformers does, with Pillow as its backend (`ViTImageProcessorPil`, in
 * older versions the slow one). The torchvision backend resizes with other rounding.
 */
export class ImageProcessor {
  readonly #size: Size | undefined;
  readonly #resampling: Resampling;
  readonly #crop: { height: number; width: number } | undefined;
  /** The model's value of each byte, for each channel. */
  readonly #values: readonly Float32Array[];

  /**
   * @param json the content of a preprocessor_config.json
   * @param modelType the model's `model_type`, which decides if the file does not name a class
   * @throws UserError for settings that are invalid or not supported
   */
  constructor(json: unknown, where: string, modelType: string) {
    const result = schema.safeParse(json);
    if (!result.success)
      throw new InvalidFile(
        `${where} does not describe an image processor:\n${z.prettifyError(result.error)}`,
      );
    const settings = result.data;
    refuseUnknown(settings, where);
    const type = settings.image_processor_type ?? settings.feature_extractor_type;
    const defaults = findDefaults(type ?? kindOfModel(modelType), where);
    const { size = defaults.size, crop_size } = withoutNulls(settings);
    if (settings.do_resize !== false)
      this.#size =
        typeof size !== 'number'
          ? size
          : (settings.default_to_square ?? defaults.isSquare)
            ? square(size)
            : { shortest_edge: size };
    this.#resampling = RESAMPLINGS[settings.resample ?? defaults.resample]!;
    const crops = settings.do_center_crop ?? defaults.crop !== undefined;
    const cropped = crop_size ?? defaults.crop ?? 224;
    if (crops) this.#crop = typeof cropped === 'number' ? square(cropped) : cropped;
    if (!this.#crop && !(this.#size && 'height' in this.#size))
      throw new InvalidFile({
        where,
        fault: 'leaves images with different sizes: it has neither a crop nor a fixed size',
        hint: 'Set do_center_crop and crop_size, or size with height and width.',
      });
    const scale = settings.do_rescale === false ? 1 : (settings.rescale_factor ?? 1 / 255);
    const mean = settings.do_normalize === false ? 0 : (settings.image_mean ?? defaults.mean);
    const std = settings.do_normalize === false ? 1 : (settings.image_std ?? defaults.std);
    this.#values = [0, 1, 2].map((channel) =>
      byteValues(scale, ofChannel(mean, channel), ofChannel(std, channel)),
    );
  }

  /** The size of the model's input. */
  get input(): { height: number; width: number } {
    return this.#crop ?? (this.#size as { height: number; width: number });
  }

  /**
   * Checks the size of an image before it is decoded: a strip that is much longer than wide may not fit into memory.
   *
   * @throws UserError
   */
  assertFits(size: { width: number; height: number }, name: string): void {
    const { width, height } = this.#resizedSize(size);
    if (Math.max(width, height) <= MAX_RESIZED) return;
    throw new InvalidData({
      where: name,
      fault: `is a strip of ${size.width} x ${size.height} pixels; resized, it would have ${width} x ${height}`,
      hint: 'Crop it, or remove it.',
    });
  }

  /** An image in the model's resolution, before it is cropped. Throws a UserError like {@link assertFits}. */
  resized(pixels: Pixels, name: string): Promise<Pixels> {
    this.assertFits(pixels, name);
    const { width, height } = this.#resizedSize(pixels);
    return resizeInSteps(pixels, width, height, this.#resampling);
  }

  #resizedSize({ width, height }: { width: number; height: number }): { width: number; height: number } {
    const size = this.#size;
    if (!size) return { width, height };
    if ('height' in size) return size;
    const { shortest_edge, longest_edge: longest } = size;
    const [low, high] = [Math.min(width, height), Math.max(width, height)];
    // Python's int() and round(), in the order of their operations.
    const bounded = longest && (high / low) * shortest_edge > longest ? (longest * low) / high : undefined;
    const short = bounded === undefined ? shortest_edge : roundHalfEven(bounded);
    if (low === short) return { width, height };
    const long = Math.trunc(((bounded ?? short) * high) / low);
    return width <= height ? { width: short, height: long } : { width: long, height: short };
  }

  /** The part of a resized image that the model sees. */
  center(pixels: Pixels): Pixels {
    const { height, width } = this.input;
    const left = Math.floor((pixels.width - width) / 2);
    const top = Math.floor((pixels.height - height) / 2);
    return this.cut(pixels, { left, top, width, height });
  }

  /** A rectangle of a resized image, in the size of the model's input. */
  cut(pixels: Pixels, box: PixelBox): Pixels {
    const { height, width } = this.input;
    const isWhole = box.width === pixels.width && box.height === pixels.height && !box.left && !box.top;
    return resize(isWhole ? pixels : crop(pixels, box), width, height, this.#resampling);
  }

  /** Writes the model's values of an image of the input's size to `target` at `start`: [3, height, width]. */
  write({ data }: Pixels, target: Float32Array, start: number): void {
    const count = data.length / 3;
    for (let channel = 0; channel < 3; channel++) {
      const values = this.#values[channel]!;
      const first = start + channel * count;
      for (let i = 0; i < count; i++) target[first + i] = values[data[i * 3 + channel]!]!;
    }
  }
}

/** @throws UserError for a key that may change pixels, such as `do_pad` */
function refuseUnknown(settings: object, where: string): void {
  const known = (key: string) => key in schema.shape || WITHOUT_EFFECT.has(key);
  const other = Object.entries(settings).find(
    ([key, value]) => value != null && value !== false && !known(key),
  );
  if (!other) return;
  throw new InvalidFile({
    where,
    key: other[0],
    fault: 'may change the pixels that the model sees, and is not supported',
    hint: 'Remove it if the model was trained without it.',
  });
}

function kindOfModel(modelType: string): string | undefined {
  return Object.entries(KIND_OF_MODEL).find(([start]) => modelType.startsWith(start))?.[1];
}

function findDefaults(type: string | undefined, where: string): Defaults {
  const kind = type?.replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '') ?? '';
  const defaults = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (defaults) return defaults;
  throw new InvalidFile({
    where,
    key: 'image_processor_type',
    expected: `one of ${Object.keys(KINDS)
      .map((name) => `${name}ImageProcessor`)
      .join(', ')}`,
    got: shown(type),
  });
}

/** transformers treats null like a missing key. */
function withoutNulls({ size, crop_size }: z.infer<typeof schema>) {
  return { ...(size && { size }), ...(crop_size && { crop_size }) };
}

const ofChannel = (values: number | readonly number[], channel: number) =>
  typeof values === 'number' ? values : values[channel]!;

/** Rescales in float64 and normalizes in float32, as transformers does with NumPy. */
function byteValues(scale: number, mean: number, std: number): Float32Array {
  const [m, s] = [Math.fround(mean), Math.fround(std)];
  return Float32Array.from({ length: 256 }, (_, byte) =>
    Math.fround(Math.fround(Math.fround(byte * scale) - m) / s),
  );
}
