import { UserError } from '../../../../support/user-error.ts';
import { type Compressed, type Decoder, readSamples } from '../samples.ts';
import type { DecodeSound } from '../sound-reader.ts';

/** These are optional peers, because codec-parser and mpg123 are LGPL, and WAV files need none. */
const PACKAGES = {
  flac: () => import('@audio/decode-flac'),
  mp3: () => import('@audio/decode-mp3'),
  opus: () => import('@audio/decode-opus'),
  vorbis: () => import('@audio/decode-vorbis'),
};

/** Decodes a WAV, FLAC, MP3, Ogg Vorbis or Opus file. */
export const decodeSound: DecodeSound = (bytes, name, maxSeconds) =>
  readSamples(bytes, name, maxSeconds, open);

async function open(format: Compressed): Promise<Decoder> {
  const { decoder } = await PACKAGES[format]().catch(() => {
    throw new UserError({
      where: `the package @audio/decode-${format}`,
      fault: `is not installed, but ${format} files need it`,
      hint: `Run npm install @audio/decode-${format}, or convert them to WAV.`,
    });
  });
  return decoder();
}
