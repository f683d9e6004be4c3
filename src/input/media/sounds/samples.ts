import { joinedFloats } from '../../../support/arrays.ts';
import { InvalidData } from '../../../support/user-error.ts';
import { FileTooLarge, MAX_FILE_BYTES } from '../medium.ts';

/** The rate of the samples that speech models read, per second. */
export const SAMPLE_RATE = 16_000;

/** Maximum length of a sound, so that a small file cannot become hours of silence. */
const MAX_SECONDS = 3600;

const MAX_CHANNELS = 32;

/** The lowest and the highest rate of files. Telephones have 8,000, studios 192,000. */
const RATES = [1_000, 384_000] as const;

/** Bytes given to a decoder at a time. Its results are counted after each part. */
const PART = 2 ** 16;

/** A decoder that gets a file in parts. */
export interface Decoder {
  /** Whether it gets the file as one part. */
  whole?: boolean;
  decode(part: Uint8Array): Decoded;
  flush?(): Decoded;
  free(): void;
}

interface Decoded {
  channelData: Float32Array[];
  sampleRate: number;
}

/** The formats by the bytes at the start of a file, and those of an Ogg file by the codec in its first page. */
const FORMATS = [
  { format: 'wav', starts: /^RIFF.{4}WAVE/s },
  { format: 'flac', starts: /^fLaC/ },
  { format: 'opus', starts: /^OggS.*OpusHead/s },
  { format: 'vorbis', starts: /^OggS.*vorbis/s },
  { format: 'mp3', starts: /^(ID3|\xff[\xe0-\xff])/ },
] as const;

/** A format that packages decode. */
export type Compressed = Exclude<(typeof FORMATS)[number]['format'], 'wav'>;

/** Whether a file with these first bytes may be a sound. */
export function isSoundFile(head: Uint8Array): boolean {
  return findFormat(head) !== undefined;
}

function findFormat(file: Uint8Array) {
  const head = new TextDecoder('latin1').decode(file.subarray(0, HEAD));
  return FORMATS.find(({ starts }) => starts.test(head));
}

/** Number of bytes in which a format shows itself: the first page of an Ogg file. */
const HEAD = 64;

/**
 * Decodes a WAV, FLAC, MP3, Ogg Vorbis or Opus file to mono samples from -1 to 1 at {@link SAMPLE_RATE}: the mean of
 * the channels, resampled.
 *
 * @param open opens the decoder of a compressed format. Without it, only WAV is read
 * @throws FileTooLarge; UserError for other formats, and for files that are damaged or empty
 */
export async function readSamples(
  bytes: Uint8Array,
  where: string,
  maxSeconds = MAX_SECONDS,
  open?: (format: Compressed) => Promise<Decoder>,
): Promise<Float32Array> {
  const refuse = (fault: string, hint?: string): never => {
    throw new InvalidData({ where, fault, hint });
  };
  const tooLarge = (fault: string, hint?: string): never => {
    throw new FileTooLarge({ where, fault, hint });
  };
  if (bytes.length > MAX_FILE_BYTES) tooLarge(`has ${bytes.length} bytes, more than ${MAX_FILE_BYTES}`);
  const { format } = findFormat(bytes) ?? {};
  if (!format) return refuse('is not a WAV, FLAC, MP3, Ogg Vorbis or Opus file');
  if (format !== 'wav' && !open)
    return refuse(`is ${format}, which Node and a page's thread decode`, 'Convert it to WAV.');
  const decoder = format === 'wav' ? wavDecoder() : await open!(format);
  const parts: Float32Array[] = [];
  let rate = 0;
  let count = 0;
  const take = ({ channelData, sampleRate }: Decoded) => {
    const length = channelData[0]?.length ?? 0;
    if (length === 0) return;
    if (channelData.length > MAX_CHANNELS)
      refuse(`has ${channelData.length} channels, more than ${MAX_CHANNELS}`);
    if (!(sampleRate >= RATES[0] && sampleRate <= RATES[1]))
      refuse(`has ${sampleRate} samples per second, not ${RATES[0]} to ${RATES[1]}`);
    if (rate !== 0 && rate !== sampleRate) refuse('changes its sample rate');
    rate = sampleRate;
    count += length;
    if (count > maxSeconds * rate) tooLarge(`is longer than ${maxSeconds} seconds`, 'Cut it into parts.');
    parts.push(mixDown(channelData));
  };
  try {
    const size = decoder.whole ? bytes.length : PART;
    for (let at = 0; at < bytes.length; at += size) take(decoder.decode(bytes.subarray(at, at + size)));
    if (decoder.flush) take(decoder.flush());
  } catch (error) {
    if (error instanceof InvalidData) throw error;
    refuse(`cannot be decoded: ${(error as Error).message}`, 'It is damaged or not a sound.');
  } finally {
    decoder.free();
  }
  if (count === 0) refuse('has no samples');
  return resample(joinedFloats(parts), rate, SAMPLE_RATE);
}

/** The bytes of a sample, and how it is read, by the format's number in a WAV file and its bits. */
const PCM: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  '1:8': (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  '1:16': (view, at) => view.getInt16(at, true) / 2 ** 15,
  '1:24': (view, at) => ((view.getInt8(at + 2) << 16) + view.getUint16(at, true)) / 2 ** 23,
  '1:32': (view, at) => view.getInt32(at, true) / 2 ** 31,
  '3:32': (view, at) => view.getFloat32(at, true),
  '3:64': (view, at) => view.getFloat64(at, true),
};

/** Number of a format that a longer header names. */
const EXTENSIBLE = 0xfffe;

/**
 * A decoder of uncompressed WAV files, which gets a file as a whole. Libraries divide positive and negative samples by
 * different numbers, which changes quiet bands by up to 0.009, so this divides both by a power of two, as libsndfile.
 */
function wavDecoder(): Decoder {
  const decode = (file: Uint8Array): Decoded => {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    let format: { channels: number; sampleRate: number; bits: number; kind: number } | undefined;
    for (let at = 12; at + 8 <= file.length; ) {
      const size = view.getUint32(at + 4, true);
      const name = new TextDecoder('latin1').decode(file.subarray(at, at + 4));
      const start = at + 8;
      if (name === 'fmt ') {
        const kind = view.getUint16(start, true);
        format = {
          kind: kind === EXTENSIBLE ? view.getUint16(start + 24, true) : kind,
          channels: view.getUint16(start + 2, true),
          sampleRate: view.getUint32(start + 4, true),
          bits: view.getUint16(start + 14, true),
        };
      }
      if (name === 'data' && format) {
        const { channels, sampleRate, bits, kind } = format;
        const read = PCM[`${kind}:${bits}`];
        if (!read) throw new Error(`format ${kind} with ${bits} bits is not PCM`);
        const step = bits / 8;
        // Streams have no size, and a file may be cut off.
        const count = Math.floor(Math.min(size, file.length - start) / (step * channels));
        const channelData = Array.from({ length: Math.min(channels, MAX_CHANNELS + 1) }, (_, channel) =>
          Float32Array.from({ length: count }, (_, i) => read(view, start + (i * channels + channel) * step)),
        );
        return { channelData, sampleRate };
      }
      at = start + size + (size % 2);
    }
    throw new Error('it has no samples');
  };
  return { whole: true, decode, free() {} };
}

function mixDown(channels: readonly Float32Array[]): Float32Array {
  const [first, ...others] = channels as [Float32Array, ...Float32Array[]];
  if (others.length === 0) return first.slice();
  return first.map((value, i) => others.reduce((sum, channel) => sum + channel[i]!, value) / channels.length);
}

/** Zero crossings of the filter on each side, as in SciPy. */
const CROSSINGS = 10;

/** The shape of the filter's Kaiser window, as in SciPy. */
const BETA = 5;

/**
 * Changes the rate of samples with a polyphase filter: a windowed sinc that keeps the band below both rates' halves.
 * Equals `scipy.signal.resample_poly` with its default window.
 */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  if (up === down) return samples;
  const rate = Math.max(up, down);
  const half = CROSSINGS * rate;
  const filter = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const x = (i - half) / rate;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return sinc * besselI0(BETA * Math.sqrt(1 - ((i - half) / half) ** 2));
  });
  const gain = filter.reduce((sum, value) => sum + value, 0) / up;
  const resampled = new Float32Array(Math.ceil((samples.length * up) / down));
  for (let i = 0; i < resampled.length; i++) {
    // Sample k of the input is at k · up among the samples at the common multiple of both rates.
    const center = i * down;
    const first = Math.max(0, Math.ceil((center - half) / up));
    const last = Math.min(samples.length - 1, Math.floor((center + half) / up));
    let sum = 0;
    for (let k = first; k <= last; k++) sum += samples[k]! * filter[center - k * up + half]!;
    resampled[i] = sum / gain;
  }
  return resampled;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The modified Bessel function of the first kind, by its power series, which ends at double precision. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
