import type { Pixels } from './pixels.ts';

/*
 * Resizing with the filters and the fixed-point arithmetic of Pillow, so that a model sees the pixels with which it was
 * pretrained. Each pass rounds to bytes: first along rows, then along columns.
 */

/** A filter: its weight at a distance, and the distance from which it is zero. */
interface Filter {
  support: number;
  weight(distance: number): number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const FILTERS = {
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: cubic },
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  hamming: { support: 1, weight: hamming },
} satisfies Record<string, Filter>;

export type Resampling = 'nearest' | keyof typeof FILTERS;

/** The numbers of Pillow's filters in a preprocessor_config.json. */
export const RESAMPLINGS: readonly Resampling[] = [
  'nearest',
  'lanczos',
  'bilinear',
  'bicubic',
  'box',
  'hamming',
];

/** Keys' cubic with a = -0.5. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

function hamming(distance: number): number {
  const x = Math.abs(distance);
  if (x >= 1) return 0;
  return sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI));
}

/** Bits after the point of a weight. */
const PRECISION = 22;

/** Bytes of a source that are read before others have their turn: a few milliseconds. */
const STEP_BYTES = 2 ** 20;

/** The pixels of a line that contribute to each pixel of the resized line. */
interface Contributions {
  starts: Int32Array;
  counts: Int32Array;
  /** Weights in fixed point, `stride` for each pixel. */
  weights: Int32Array;
  stride: number;
}

function contributions(length: number, resized: number, { support, weight }: Filter): Contributions {
  const scale = length / resized;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  const stride = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(resized);
  const counts = new Int32Array(resized);
  const weights = new Int32Array(resized * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < resized; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - reach + 0.5));
    const count = Math.min(length, Math.trunc(center + reach + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      exact[k] = weight((k + start - center + 0.5) * (1 / stretch));
      sum += exact[k]!;
    }
    for (let k = 0; k < count; k++) {
      const share = (sum === 0 ? exact[k]! : exact[k]! / sum) * 2 ** PRECISION;
      weights[i * stride + k] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, stride };
}

/**
 * One pass: resizes lines of `length` pixels. Pixel i of a line lies `step` bytes after pixel i - 1.
 *
 * @param lines the first byte of each line, in the source and in the result
 */
function* pass(
  source: Uint8Array,
  result: Uint8Array,
  { starts, counts, weights, stride }: Contributions,
  lines: { count: number; from: number; to: number },
  step: { from: number; to: number },
): Generator<void, void> {
  // Sources of a line are read once or twice, whichever way it is resized.
  const linesAtOnce = Math.max(1, Math.ceil((STEP_BYTES * lines.count) / source.length));
  for (let line = 0; line < lines.count; line++) {
    if (line % linesAtOnce === linesAtOnce - 1) yield;
    for (let i = 0; i < starts.length; i++) {
      let red = 1 << (PRECISION - 1);
      let green = red;
      let blue = red;
      let at = line * lines.from + starts[i]! * step.from;
      const first = i * stride;
      for (let k = first; k < first + counts[i]!; k++) {
        const weight = weights[k]!;
        red += source[at]! * weight;
        green += source[at + 1]! * weight;
        blue += source[at + 2]! * weight;
        at += step.from;
      }
      const to = line * lines.to + i * step.to;
      result[to] = clipped(red >> PRECISION);
      result[to + 1] = clipped(green >> PRECISION);
      result[to + 2] = clipped(blue >> PRECISION);
    }
  }
}

const clipped = (value: number) => (value < 0 ? 0 : Math.min(255, value));

/** Resizes the rows of an image to another width. */
function* widened(pixels: Pixels, width: number, filter: Filter): Generator<void, Pixels> {
  if (width === pixels.width) return pixels;
  const data = new Uint8Array(width * pixels.height * 3);
  const lines = { count: pixels.height, from: pixels.width * 3, to: width * 3 };
  yield* pass(pixels.data, data, contributions(pixels.width, width, filter), lines, { from: 3, to: 3 });
  return { width, height: pixels.height, data };
}

/** Resizes the columns of an image to another height. */
function* heightened(
  { width, height: from, data: source }: Pixels,
  height: number,
  filter: Filter,
): Generator<void, Pixels> {
  if (height === from) return { width, height, data: source };
  const data = new Uint8Array(width * height * 3);
  const row = width * 3;
  const lines = { count: width, from: 3, to: 3 };
  yield* pass(source, data, contributions(from, height, filter), lines, { from: row, to: row });
  return { width, height, data };
}

/** Resizes an image, equal to `PIL.Image.resize` of Pillow 13 to the bit. */
export function resize(...args: Parameters<typeof resizing>): Pixels {
  const steps = resizing(...args);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Like {@link resize}, but the thread does other work in between. */
export async function resizeInSteps(...args: Parameters<typeof resizing>): Promise<Pixels> {
  const steps = resizing(...args);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function* resizing(
  pixels: Pixels,
  width: number,
  height: number,
  resampling: Resampling,
): Generator<void, Pixels> {
  if (width === pixels.width && height === pixels.height) return pixels;
  if (resampling === 'nearest') return nearest(pixels, width, height);
  const filter = FILTERS[resampling];
  // Pillow 13 begins with the columns if the height shrinks by more than twice as many pixels as the width. Earlier
  // versions always begin with the rows. Because each pass rounds, some bytes differ by one.
  const lowered = pixels.height - height;
  const columnsFirst = lowered > 0 && lowered > 2 * (pixels.width - width);
  return columnsFirst
    ? yield* widened(yield* heightened(pixels, height, filter), width, filter)
    : yield* heightened(yield* widened(pixels, width, filter), height, filter);
}

function nearest(
  { width: oldWidth, height: oldHeight, data }: Pixels,
  width: number,
  height: number,
): Pixels {
  const columns = nearestPlaces(oldWidth, width);
  const rows = nearestPlaces(oldHeight, height);
  const resized = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (rows[y]! * oldWidth + columns[x]!) * 3;
      resized.set(data.subarray(from, from + 3), (y * width + x) * 3);
    }
  return { width, height, data: resized };
}

/** Pillow adds up the places, so rounding errors accumulate in the same way here. */
function nearestPlaces(length: number, resized: number): Int32Array {
  const scale = length / resized;
  let place = scale * 0.5;
  return Int32Array.from({ length: resized }, () => {
    const floored = Math.min(length - 1, Math.trunc(place));
    place += scale;
    return floored;
  });
}
