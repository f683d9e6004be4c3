import { decodeSound } from '../../src/faces/web/decoders.ts';
import { SAMPLE_RATE } from '../../src/input/media/sounds/samples.ts';

const HEADER = 44;
const BYTES = Float32Array.BYTES_PER_ELEMENT;
/** Number of the format whose samples are floats. */
const FLOATS = 3;

/** A WAV file of mono samples at 16 kHz, which keeps them exactly. */
export function wavFile(samples: Float32Array, name: string): File {
  const view = new DataView(new ArrayBuffer(HEADER));
  const write = (at: number, text: string) =>
    [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  const size = samples.length * BYTES;
  write(0, 'RIFF');
  view.setUint32(4, HEADER - 8 + size, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, FLOATS, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, SAMPLE_RATE * BYTES, true);
  view.setUint16(32, BYTES, true);
  view.setUint16(34, 8 * BYTES, true);
  write(36, 'data');
  view.setUint32(40, size, true);
  return new File([view, samples as Float32Array<ArrayBuffer>], name);
}

/** Converts a sound that the browser decodes, in the page's thread. */
export async function toWav(sound: File): Promise<File> {
  const bytes = new Uint8Array(await sound.arrayBuffer());
  return wavFile(await decodeSound(bytes, sound.name), sound.name);
}
