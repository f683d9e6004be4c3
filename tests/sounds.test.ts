import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, expect, it } from 'vitest';
import { decodeSound } from '../src/input/media/sounds/node/decode-sound.ts';
import { SoundReader } from '../src/input/media/sounds/sound-reader.ts';
import { THIS_NODE } from '../src/studies/jobs/node/machine.ts';
import { runInFolder } from '../src/studies/jobs/run-in-folder.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { open } from '../src/use/trained/node/open.ts';
import { newFolder } from './support/new-folder.ts';
import { writeTone } from './support/write-tone.ts';

const scratch = newFolder();
const model = join(scratch, 'model');
const clips = join(scratch, 'clips');
const SETTINGS = { feature_size: 5, chunk_length: 0.12 };
const reader = new SoundReader([5, 12], SETTINGS, 'preprocessor_config.json', decodeSound);

beforeAll(() => {
  cpSync('src/models/fixtures/models/whisper-classes', model, { recursive: true });
  writeFileSync(join(model, 'preprocessor_config.json'), JSON.stringify(SETTINGS));
  for (const [label, hertz] of Object.entries({ low: 300, middle: 1500, high: 5000 })) {
    mkdirSync(join(clips, label), { recursive: true });
    for (let i = 0; i < 8; i++)
      writeFileSync(join(clips, label, `${i}.wav`), writeTone(hertz * (1 + i / 40), 0.06 + i / 200));
  }
});

async function train(output: string, data: object): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  const config = parseRunConfig(
    {
      model,
      output: join(scratch, output),
      data: { train: clips, text: 'audio', label: 'label', ...data },
      training: { max_steps: 4, floor: false },
    },
    'config.yaml',
  );
  await runInFolder(THIS_NODE, config, {
    resume: false,
    onEvent: (event) => events.push(event),
    shouldStop: () => false,
  });
  return events;
}

it.each(['mean', 'none'])(
  'trains classes of sounds with pooling %s, and ONNX computes the same',
  async (pooling) => {
    const events = await train(pooling, { pooling });
    expect(JSON.stringify(events)).toContain('a linear model of 16 x 16 values of the spectrogram');
    expect(events.at(-1)).toMatchObject({ type: 'finish', confusion: { labels: ['high', 'low', 'middle'] } });
    const opened = await open(join(scratch, pooling));
    const audio = readFileSync(join(clips, 'low', '3.wav'));
    const answers: { label: string; logits: number[] }[] = [];
    for await (const answer of opened.predict<object>([{ text: '3.wav', audio }]))
      answers.push(answer as never);
    await opened.export('onnx', join(scratch, `${pooling}-onnx`));
    await opened.close();
    const values = new Float32Array(5 * 12);
    reader.write(await reader.read(audio, '3.wav'), values, 0);
    const session = await InferenceSession.create(join(scratch, `${pooling}-onnx`, 'onnx', 'model.onnx'));
    const { logits } = await session.run({ input_features: new Tensor('float32', values, [1, 5, 12]) });
    const ours = answers[0]!.logits;
    const largest = Math.max(...ours.map(Math.abs));
    // Sums are in float32 there, in another order.
    for (const [i, value] of (logits!.data as Float32Array).entries())
      expect(Math.abs(value - ours[i]!)).toBeLessThan(1e-5 * Math.max(1, largest));
  },
);

it('names a broken file, or leaves it out', async () => {
  const broken = join(clips, 'low', 'broken.wav');
  writeFileSync(broken, 'no sound');
  await expect(train('broken', {})).rejects.toThrow('broken.wav is not');
  expect(JSON.stringify(await train('skipped', { on_bad_row: 'skip' }))).toContain('broken.wav');
  rmSync(broken);
});

it('keeps the part of a spectrogram before the silence, and finds near-equal sounds', async () => {
  const short = await reader.read(writeTone(440, 0.05), 'a');
  // 800 samples are read by the windows around the first six frames and half a window.
  expect(short.frames).toBe(7);
  const values = new Float32Array(60);
  reader.write(short, values, 0);
  expect([...values.subarray(7, 12)]).toEqual(Array(5).fill(Math.fround(short.silence)));
  const quieter = await reader.read(
    Buffer.from(writeTone(440, 0.05)).map((byte, i) => (i > 44 && i % 8 === 0 ? byte ^ 1 : byte)),
    'b',
  );
  expect(quieter.digest).not.toBe(short.digest);
  const differences = short.small.map((value, i) => Math.abs(value - quieter.small[i]!));
  expect(differences.reduce((a, b) => a + b) / 256).toBeLessThan(2);
  expect(short.preview()).toMatch(/^data:image\/bmp;base64,/);
  expect(() => new SoundReader([5, 12], { feature_size: 80 }, 'x', decodeSound)).toThrow('makes 80 bands');
  await expect(reader.read(writeTone(440, 0.5), 'c', 0.2)).rejects.toThrow('longer than 0.2 seconds');
});
