import { SAMPLE_RATE } from './samples.ts';

/** Samples of a window, and from one window to the next. */
const WINDOW = 400;
const HOP = 160;

/** Frequencies of a window's Fourier transform. */
const BINS = WINDOW / 2 + 1;

/** The highest frequency of the mel bands, in Hz. */
const HIGHEST = 8000;

/** Logarithms of smaller powers are those of this power. */
const LEAST_POWER = 1e-10;

/** Values further below the maximum than this are raised to it, in powers of ten. */
const RANGE = 8;

/**
 * The log-mel spectrogram of `WhisperFeatureExtractor`, [bands, frames]: a window of 25 ms every 10 ms, mel bands of
 * Slaney's scale, logarithms of powers within eight decades, (x + 4) / 4. Samples beyond the frames are cut off, and
 * missing ones are silence.
 *
 * @param samples mono, at 16 kHz
 */
export function logMelSpectrogram(samples: Float32Array, bands: number, frames: number): Float32Array {
  const filters = melFilters(bands);
  const { cosines, sines, window } = transform();
  const length = Math.min(samples.length, frames * HOP);
  const spectrogram = new Float32Array(bands * frames).fill(Math.log10(LEAST_POWER));
  const whole = frames * HOP;
  // The window around a sample before the start or after the end reads the sound mirrored there.
  const sampleAt = (i: number) => {
    const mirrored = i < 0 ? -i : i >= whole ? 2 * whole - 2 - i : i;
    return mirrored < length ? samples[mirrored]! : 0;
  };
  const complex = () => ({ real: new Float64Array(WINDOW), imaginary: new Float64Array(WINDOW) });
  const [windows, spare] = [complex(), complex()];
  const { real, imaginary } = windows;
  const powers = [new Float64Array(BINS), new Float64Array(BINS)] as const;
  let most = Math.log10(LEAST_POWER);
  for (let frame = 0; frame < frames; frame += 2) {
    const start = frame * HOP - WINDOW / 2;
    // Whole windows of silence keep the least power. Only the last windows read the end mirrored.
    if (start >= length && (frame + 1) * HOP + WINDOW / 2 <= whole) continue;
    // One transform is that of two windows: one is its real part, the next its imaginary part.
    for (let n = 0; n < WINDOW; n++) {
      real[n] = sampleAt(start + n) * window[n]!;
      imaginary[n] = sampleAt(start + HOP + n) * window[n]!;
    }
    fourier(windows, spare, cosines, sines);
    for (let bin = 0; bin < BINS; bin++) {
      const other = (WINDOW - bin) % WINDOW;
      const a = real[bin]!;
      const b = real[other]!;
      const c = imaginary[bin]!;
      const d = imaginary[other]!;
      powers[0][bin] = ((a + b) * (a + b) + (c - d) * (c - d)) / 4;
      powers[1][bin] = ((c + d) * (c + d) + (a - b) * (a - b)) / 4;
    }
    for (let which = 0; which < Math.min(2, frames - frame); which++)
      for (const [band, { first, weights }] of filters.entries()) {
        let power = 0;
        for (let i = 0; i < weights.length; i++) power += weights[i]! * powers[which]![first + i]!;
        const value = Math.log10(Math.max(LEAST_POWER, power));
        spectrogram[band * frames + frame + which] = value;
        most = Math.max(most, value);
      }
  }
  return spectrogram.map((value) => (Math.max(value, most - RANGE) + 4) / 4);
}

interface Complex {
  real: Float64Array;
  imaginary: Float64Array;
}

/** The factors of WINDOW. They are an even number, so the result of the last one is where the values were. */
const FACTORS = [4, 4, 5, 5];

/** Replaces WINDOW values by their Fourier transform, factor by factor (Stockham's order). */
function fourier(values: Complex, spare: Complex, cosines: Float64Array, sines: Float64Array): void {
  let [from, to] = [values, spare];
  let stride = 1;
  for (const factor of FACTORS) {
    const size = WINDOW / stride / factor;
    to.real.fill(0);
    to.imaginary.fill(0);
    for (let part = 0; part < size; part++)
      for (let out = 0; out < factor; out++)
        for (let tap = 0; tap < factor; tap++) {
          const angle = (out * (tap * (WINDOW / factor) + part * stride)) % WINDOW;
          const cosine = cosines[angle]!;
          const sine = sines[angle]!;
          const read = stride * (part + size * tap);
          const write = stride * (factor * part + out);
          for (let i = 0; i < stride; i++) {
            const x = from.real[read + i]!;
            const y = from.imaginary[read + i]!;
            to.real[write + i]! += x * cosine + y * sine;
            to.imaginary[write + i]! += y * cosine - x * sine;
          }
        }
    stride *= factor;
    [from, to] = [to, from];
  }
}

/** The number of frames whose windows read samples of a sound; those after them are silence. */
export function countFrames(samples: number): number {
  return Math.ceil((samples + WINDOW / 2) / HOP);
}

/** Cosines and sines of the angles 2π k / WINDOW, and the periodic Hann window. */
function transform() {
  const angles = Float64Array.from({ length: WINDOW }, (_, k) => (2 * Math.PI * k) / WINDOW);
  const cosines = angles.map(Math.cos);
  return { cosines, sines: angles.map(Math.sin), window: cosines.map((cosine) => (1 - cosine) / 2) };
}

/** The weights of a band's frequencies, from the first one that is not zero. */
interface MelFilter {
  first: number;
  weights: Float64Array;
}

/** Triangles between frequencies at equal distances on Slaney's mel scale, each with the same area. */
function melFilters(bands: number): MelFilter[] {
  const most = toMel(HIGHEST);
  const corners = Array.from({ length: bands + 2 }, (_, i) => toHertz((most * i) / (bands + 1)));
  return Array.from({ length: bands }, (_, band) => {
    const [low, center, high] = corners.slice(band, band + 3) as [number, number, number];
    const all = Array.from({ length: BINS }, (_, bin) => {
      const frequency = (bin * SAMPLE_RATE) / WINDOW;
      const height = Math.min((frequency - low) / (center - low), (high - frequency) / (high - center));
      return (Math.max(0, height) * 2) / (high - low);
    });
    const first = Math.max(
      0,
      all.findIndex((weight) => weight > 0),
    );
    return {
      first,
      weights: Float64Array.from(all.slice(first, all.findLastIndex((weight) => weight > 0) + 1)),
    };
  });
}

/** Slaney's mel scale is linear up to 1,000 Hz, which are 15 mel, and logarithmic above: 27 mel for a factor of 6.4. */
const [LINEAR_HERTZ, LINEAR_MEL, STEP] = [1000, 15, Math.log(6.4) / 27];

function toMel(hertz: number): number {
  if (hertz < LINEAR_HERTZ) return (hertz * LINEAR_MEL) / LINEAR_HERTZ;
  return LINEAR_MEL + Math.log(hertz / LINEAR_HERTZ) / STEP;
}

function toHertz(mel: number): number {
  if (mel < LINEAR_MEL) return (mel * LINEAR_HERTZ) / LINEAR_MEL;
  return LINEAR_HERTZ * Math.exp((mel - LINEAR_MEL) * STEP);
}
