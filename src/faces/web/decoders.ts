import { assertDecodable, undecodable } from '../../input/media/images/decoded.ts';
import { readImageHeader } from '../../input/media/images/image-header.ts';
import type { Pixels } from '../../input/media/images/pixels.ts';
import type { Decoders } from '../../input/media/media.ts';
import { FileTooLarge } from '../../input/media/medium.ts';
import { type Compressed, type Decoder, readSamples } from '../../input/media/sounds/samples.ts';
import type { DecodeSound } from '../../input/media/sounds/sound-reader.ts';
import { Turns } from '../../support/turns.ts';

/** Pixels that are copied from a canvas at a time. */
const PIECE = 2 ** 20;

/** A page decodes one image at a time, because each needs seven bytes per pixel. */
const turns = new Turns();

/**
 * Decodes a JPEG, PNG, WebP or GIF file (its first frame) with the browser's decoders: rotated by its EXIF orientation,
 * transparency on white, without color profiles.
 *
 * @throws UserError for other files, and for files that are damaged, truncated or too large
 */
export function decodeImage(bytes: Uint8Array, name: string): Promise<Pixels> {
  return turns.run(() => decode(bytes, name));
}

async function decode(bytes: Uint8Array, name: string): Promise<Pixels> {
  const facts = readImageHeader(bytes);
  assertDecodable(name, bytes.length, facts);
  if (facts?.isDeepGrey) throw undecodable(name, 'a browser does not read grey of 16 bits as Python does');
  const blob = new Blob([bytes as BlobPart]);
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none' }).catch((error: Error) => {
    throw undecodable(name, error.message);
  });
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height * 3);
  const rows = Math.max(1, Math.min(height, Math.floor(PIECE / width)));
  const context = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = 'white';
  for (let top = 0; top < height; top += rows) {
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const { data: piece } = context.getImageData(0, 0, width, Math.min(rows, height - top));
    for (let from = 0, to = top * width * 3; from < piece.length; from += 4, to += 3) {
      data[to] = piece[from]!;
      data[to + 1] = piece[from + 1]!;
      data[to + 2] = piece[from + 2]!;
    }
  }
  bitmap.close();
  return { width, height, data };
}

/**
 * Decodes a sound: WAV as in Node, and other formats by the browser, which does so in a page's thread, not in workers. The
 * browser keeps the rate of the file, so that samples are resampled as in Node.
 */
export const decodeSound: DecodeSound = (bytes, name, maxSeconds) =>
  readSamples(
    bytes,
    name,
    maxSeconds,
    typeof OfflineAudioContext === 'undefined' ? undefined : (format) => openInBrowser(bytes, name, format),
  );

/** Maximum bytes of a compressed file. A browser decodes all of it at once, to up to a hundred times as many. */
const MAX_COMPRESSED = 10_000_000;

async function openInBrowser(bytes: Uint8Array, where: string, format: Compressed): Promise<Decoder> {
  if (bytes.length > MAX_COMPRESSED)
    throw new FileTooLarge({
      where,
      fault: `has ${bytes.length} bytes, more than the ${MAX_COMPRESSED} of a ${format} file in a page`,
      hint: 'Cut it into parts.',
    });
  const sampleRate = readRate(bytes, format);
  const context = new OfflineAudioContext(1, 1, sampleRate);
  // The browser takes the buffer away.
  const decoded = await context.decodeAudioData(bytes.slice().buffer as ArrayBuffer).catch(() => undefined);
  const channelData = Array.from({ length: decoded?.numberOfChannels ?? 0 }, (_, channel) =>
    decoded!.getChannelData(channel),
  );
  return {
    whole: true,
    decode() {
      if (decoded) return { channelData, sampleRate };
      throw new Error(`the browser does not read this ${format}`);
    },
    free() {},
  };
}

/** Samples per second of MPEG 1 by the number in a frame's header. Those of MPEG 2 and 2.5 are a half and a quarter. */
const MPEG_RATES = [44_100, 48_000, 32_000];

/** The rate in a file's header. A damaged one has any. */
function readRate(bytes: Uint8Array, format: Compressed): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (place: number) => bytes[place] ?? 0;
  const rates: Record<Compressed, () => number> = {
    opus: () => 48_000,
    // After the header of the first page and the start of the first packet.
    vorbis: () => (view.byteLength < 44 ? 0 : view.getUint32(40, true)),
    flac: () => (at(18) << 12) | (at(19) << 4) | (at(20) >> 4),
    mp3() {
      const isTagged = at(0) === 0x49;
      const tag = isTagged ? 10 + ((at(6) << 21) | (at(7) << 14) | (at(8) << 7) | at(9)) : 0;
      const version = (at(tag + 1) >> 3) & 3;
      return (MPEG_RATES[(at(tag + 2) >> 2) & 3] ?? 0) / [4, 1, 2, 1][version]!;
    },
  };
  const rate = rates[format]();
  return rate >= 8000 && rate <= 192_000 ? rate : 48_000;
}

/** The decoders of a page. */
export const DECODERS: Decoders = { image: decodeImage, audio: decodeSound };
