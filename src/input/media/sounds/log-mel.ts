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
  const even = new Float64Array(BINS);
  const odd = new Float64Array(BINS);
  const powers = new Float64Array(BINS);
  let most = Math.log10(LEAST_POWER);
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * HOP - WINDOW / 2;
    // Whole windows of silence keep the least power. Only the last windows read the end mirrored.
    if (start >= length && frame * HOP + WINDOW / 2 <= whole) continue;
    const value = (n: number) => sampleAt(start + n) * window[n]!;
    // The samples n and WINDOW − n have the same cosines, and sines of opposite sign.
    [even[0], odd[0]] = [value(0), 0];
    for (let n = 1; n < BINS - 1; n++) {
      const [a, b] = [value(n), value(WINDOW - n)];
      even[n] = a + b;
      odd[n] = a - b;
    }
    [even[BINS - 1], odd[BINS - 1]] = [value(BINS - 1), 0];
    for (let bin = 0; bin < BINS; bin++) {
      let real = 0;
      let imaginary = 0;
      for (let n = 0, angle = 0; n < BINS; n++) {
        real += even[n]! * cosines[angle]!;
        imaginary += odd[n]! * sines[angle]!;
        angle += bin;
        if (angle >= WINDOW) angle -= WINDOW;
      }
      powers[bin] = real * real + imaginary * imaginary;
    }
    for (const [band, { first, weights }] of filters.entries()) {
      let power = 0;
      for (let i = 0; i < weights.length; i++) power += weights[i]! * powers[first + i]!;
      const value = Math.log10(Math.max(LEAST_POWER, power));
      spectrogram[band * frames + frame] = value;
      most = Math.max(most, value);
    }
  }
  return spectrogram.map((value) => (Math.max(value, most - RANGE) + 4) / 4);
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
