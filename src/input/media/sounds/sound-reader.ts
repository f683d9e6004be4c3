import { z } from 'zod';
import { Sha256 } from '../../../support/sha256.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import { thumbnail } from '../images/thumbnail.ts';
import type { FileContent } from '../medium.ts';
import { countFrames, logMelSpectrogram } from './log-mel.ts';
import { SAMPLE_RATE } from './samples.ts';

/**
 * Decodes a file to samples at 16 kHz. `name` is for messages.
 *
 * @throws FileTooLarge for a sound of more than `maxSeconds`
 */
export type DecodeSound = (bytes: Uint8Array, name: string, maxSeconds?: number) => Promise<Float32Array>;

/** A sound as it is kept in memory: its log-mel spectrogram without the silence that follows it. */
export interface SoundContent extends FileContent {
  /** [bands, frames] */
  heard: Float32Array;
  frames: number;
  /** The value of silence. */
  silence: number;
  seconds: number;
  /** The whole spectrogram of a sound that is longer than the model's input, if it was asked for. */
  whole?: () => SoundContent;
}

/** Length of the sides of a sound's `small`. */
const SMALL = 16;

/** The values of a spectrogram are within this distance of its largest value. */
const RANGE = 2;

/** The settings that change a spectrogram, with their only supported values. */
const settings = z.looseObject({
  feature_extractor_type: z.literal('WhisperFeatureExtractor').default('WhisperFeatureExtractor'),
  feature_size: z.int().optional(),
  sampling_rate: z.literal(16_000).default(16_000),
  hop_length: z.literal(160).default(160),
  n_fft: z.literal(400).default(400),
  dither: z.literal(0).default(0),
  do_normalize: z.literal(false).default(false),
  padding_value: z.literal(0).default(0),
  chunk_length: z.number().optional(),
});

/** Reads sounds for a model, as `WhisperFeatureExtractor` does: the first frames, and silence after the end. */
export class SoundReader {
  /**
   * @param shape [bands, frames]
   * @param json the content of preprocessor_config.json
   * @throws UserError for settings that do not make this input
   */
  constructor(
    readonly shape: readonly [bands: number, frames: number],
    json: unknown,
    where: string,
    private readonly decode: DecodeSound,
  ) {
    const [bands, frames] = shape;
    const { success, data, error } = settings.safeParse(json);
    if (!success) throw new InvalidFile({ where, fault: `is not supported:\n${z.prettifyError(error)}` });
    const { feature_size = bands, chunk_length = frames / 100 } = data;
    if (feature_size === bands && chunk_length * 100 === frames) return;
    throw new InvalidFile({
      where,
      fault: `makes ${feature_size} bands of ${chunk_length} s, but the model reads ${bands} bands of ${frames / 100} s`,
    });
  }

  /** @throws UserError for a file that is damaged, too long or no sound */
  async read(bytes: Uint8Array, name: string, maxSeconds?: number, isWhole?: boolean): Promise<SoundContent> {
    const [, all] = this.shape;
    const samples = await this.decode(bytes, name, maxSeconds);
    const digest = new Sha256().update(bytes).digest('hex');
    const count = countFrames(samples.length);
    const first = this.#content(samples, all, digest);
    // Silence follows, because the end would be mirrored.
    const whole = () => this.#content(samples, count + all, digest);
    return isWhole && count > all ? { ...first, whole } : first;
  }

  #content(samples: Float32Array, all: number, digest: string): SoundContent {
    const [bands] = this.shape;
    const whole = logMelSpectrogram(samples, bands, all);
    const frames = Math.min(all, countFrames(samples.length));
    const heard = cutFrames(whole, bands, 0, frames);
    const levels = toLevels(heard);
    return {
      medium: 'audio',
      heard,
      frames,
      silence: whole.at(-1)!,
      seconds: samples.length / SAMPLE_RATE,
      small: meanLevels(levels, bands, frames),
      digest,
      preview: () => spectrogramImage(levels, bands, frames),
    };
  }

  /** Writes the model's values. */
  write({ heard, frames, silence }: SoundContent, target: Float32Array, start: number): void {
    const [bands, all] = this.shape;
    for (let band = 0; band < bands; band++) {
      const at = start + band * all;
      target.set(heard.subarray(band * frames, (band + 1) * frames), at);
      target.fill(silence, at + frames, at + all);
    }
  }
}

/** The part of a sound from a frame on, of at most so many frames. */
export function cutSound(sound: SoundContent, from: number, most: number): SoundContent {
  const bands = sound.heard.length / sound.frames;
  const frames = Math.min(most, sound.frames - from);
  const heard = cutFrames(sound.heard, bands, from, frames);
  return { ...sound, heard, frames, digest: `${sound.digest} ${from}` };
}

/** Some frames of a spectrogram, [bands, frames]. */
function cutFrames(values: Float32Array, bands: number, from: number, frames: number): Float32Array {
  const [all, cut] = [values.length / bands, new Float32Array(bands * frames)];
  for (let band = 0; band < bands; band++) {
    const start = band * all + from;
    cut.set(values.subarray(start, start + frames), band * frames);
  }
  return cut;
}

/** The values of a spectrogram from 0 to 255. */
function toLevels(heard: Float32Array): Uint8Array {
  const most = heard.reduce((a, b) => Math.max(a, b));
  return Uint8Array.from(heard, (value) => (255 * Math.max(0, value - most + RANGE)) / RANGE);
}

/** The means of 16 parts of the bands in 16 parts of the time. */
function meanLevels(levels: Uint8Array, bands: number, frames: number): Uint8Array {
  const edges = (i: number, size: number) => {
    const from = Math.min(size - 1, Math.floor((i * size) / SMALL));
    return [from, Math.max(from + 1, Math.floor(((i + 1) * size) / SMALL))] as const;
  };
  return Uint8Array.from({ length: SMALL * SMALL }, (_, i) => {
    const [low, high] = edges(Math.floor(i / SMALL), bands);
    const [from, to] = edges(i % SMALL, frames);
    let sum = 0;
    for (let band = low; band < high; band++)
      for (let frame = from; frame < to; frame++) sum += levels[band * frames + frame]!;
    return sum / ((high - low) * (to - from));
  });
}

/** The spectrogram as a small image in grey, low bands at the bottom. */
function spectrogramImage(levels: Uint8Array, bands: number, frames: number): string {
  const data = new Uint8Array(levels.length * 3);
  for (let band = 0; band < bands; band++)
    for (let frame = 0; frame < frames; frame++) {
      const to = 3 * ((bands - 1 - band) * frames + frame);
      data.fill(levels[band * frames + frame]!, to, to + 3);
    }
  return thumbnail({ width: frames, height: bands, data });
}
