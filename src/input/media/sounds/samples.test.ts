import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readSafetensors } from '../../../../tests/support/safetensors-file.ts';
import { logMelSpectrogram } from './log-mel.ts';
import { decodeSound } from './node/decode-sound.ts';
import { readSamples, resample } from './samples.ts';

const folder = 'src/input/media/sounds/fixtures';
const read = (name: string) => new Uint8Array(readFileSync(`${folder}/${name}`));
// Written by scripts/oracle/sounds.py.
const expected = readSafetensors(`${folder}/expected.safetensors`);
const floats = (name: string) => expected.get(name)!.data as Float32Array;

function largestDifference(ours: Float32Array, theirs: Float32Array): number {
  expect(ours.length).toBe(theirs.length);
  return ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
}

// Rounding to float32 is 6e-8. The FLAC decoder divides by 32,767 instead of 32,768. Opus and MP3 are decoded in float32
// by other versions of the libraries.
it.each([
  ['pcm8.wav', 1e-7],
  ['pcm16.wav', 1e-7],
  ['pcm24.wav', 1e-7],
  ['pcm32.wav', 1e-7],
  ['float32.wav', 1e-7],
  ['flac.flac', 2e-5],
  ['vorbis.ogg', 1e-6],
  ['opus.opus', 1e-5],
  ['mp3.mp3', 1e-5],
])('%s is decoded and resampled as by libsndfile and SciPy', async (name, limit) => {
  const samples = await decodeSound(read(name), name);
  expect(largestDifference(samples, floats(`${name} samples`))).toBeLessThan(limit);
});

// The extractor rounds Fourier transforms to complex64.
it.each([
  ['pcm16.wav', 80],
  ['pcm16.wav', 128],
  ['pcm32.wav', 80],
  ['pcm32.wav', 128],
])('the spectrogram of %s in %i bands is that of WhisperFeatureExtractor', (name, bands) => {
  const whole = logMelSpectrogram(floats(`${name} samples`), bands, 3000);
  const frames = expected.get(`${name} mel ${bands}`)!.shape[1]!;
  const begun = Float32Array.from({ length: bands * frames }, (_, i) => {
    const band = Math.floor(i / frames);
    return whole[band * 3000 + (i % frames)]!;
  });
  expect(largestDifference(begun, floats(`${name} mel ${bands}`))).toBeLessThan(1e-6);
});

it('samples beyond the spectrogram are cut off, and its end reads them mirrored', () => {
  const noise = Float32Array.from({ length: 6000 }, (_, i) => Math.sin(i * i));
  const cut = logMelSpectrogram(noise.subarray(0, 4800), 80, 30);
  expect(logMelSpectrogram(noise, 80, 30)).toEqual(cut);
});

it('resampling keeps a tone below both rates', () => {
  const tone = (rate: number) =>
    Float32Array.from({ length: rate / 10 }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / rate));
  const middle = (samples: Float32Array) => samples.subarray(200, -200);
  // The filter's ripple is 1e-3.
  expect(largestDifference(middle(resample(tone(8000), 8000, 16000)), middle(tone(16000)))).toBeLessThan(
    2e-3,
  );
});

it.each<[string, Uint8Array, RegExp]>([
  ['text', new TextEncoder().encode('hello'), /is not a WAV, FLAC, MP3, Ogg Vorbis or Opus file/],
  ['an empty file', new Uint8Array(), /is not a WAV/],
  ['a header without samples', read('pcm16.wav').subarray(0, 44), /has no samples/],
  ['a cut header', read('pcm16.wav').subarray(0, 30), /cannot be decoded/],
  [
    'a damaged FLAC',
    read('flac.flac').map((byte, i) => (i > 60 ? 0 : byte)),
    /cannot be decoded|has no samples/,
  ],
])('%s is refused', async (_, bytes, message) => {
  await expect(decodeSound(bytes, 'x.wav')).rejects.toThrow(message);
});

it('a page reads WAV alone', async () => {
  await expect(readSamples(read('mp3.mp3'), 'x.mp3')).rejects.toThrow('Convert it to WAV');
  expect(await readSamples(read('pcm8.wav'), 'x.wav')).toEqual(await decodeSound(read('pcm8.wav'), 'x.wav'));
});

it('a rate and a number of channels outside the limits are refused', async () => {
  const wav = (change: (view: DataView) => void) => {
    const copy = read('pcm16.wav').slice();
    change(new DataView(copy.buffer));
    return decodeSound(copy, 'x.wav');
  };
  await expect(wav((view) => view.setUint32(24, 7, true))).rejects.toThrow('7 samples per second');
  await expect(wav((view) => view.setUint16(22, 60_000, true))).rejects.toThrow(/channels|no samples/);
});
