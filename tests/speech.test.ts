import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from '@huggingface/transformers';
import OpenAI from 'openai';
import { beforeAll, expect, it } from 'vitest';
import { reachable } from '../src/engine/graph/print.ts';
import { decodeSound } from '../src/input/media/sounds/node/decode-sound.ts';
import type { FolderMachine } from '../src/studies/jobs/machine.ts';
import { THIS_NODE } from '../src/studies/jobs/node/machine.ts';
import { runInFolder } from '../src/studies/jobs/run-in-folder.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { open } from '../src/use/trained/node/open.ts';
import { newWorkspace } from './support/commands.ts';
import { TRANSCRIPTS, writeClips, writeSpeechModel } from './support/tiny-speech.ts';

const workspace = newWorkspace();
const scratch = workspace.path();
const model = join(scratch, 'whisper');
const clips = join(scratch, 'clips');

beforeAll(() => {
  writeSpeechModel(model);
  writeClips(clips);
});

async function train(
  output: string,
  training: object = {},
  {
    stopAt = Number.POSITIVE_INFINITY,
    resume = false,
    target_modules = 'all-linear',
    machine = THIS_NODE as FolderMachine,
  } = {},
) {
  const events: TrainEvent[] = [];
  const table = join(clips, 'metadata.csv');
  const config = parseRunConfig(
    {
      model,
      output: join(scratch, output),
      task: 'automatic_speech_recognition',
      data: { train: table, validation: table },
      method: 'lora',
      lora: { r: 8, lora_alpha: 16, target_modules },
      training: {
        max_steps: 160,
        learning_rate: 0.02,
        eval_strategy: 'steps',
        eval_steps: 40,
        save_steps: 20,
        logging_steps: 20,
        ...training,
      },
    },
    'config.yaml',
  );
  let step = 0;
  await runInFolder(machine, config, {
    resume,
    onEvent(event) {
      events.push(event);
      if ('step' in event) step = event.step as number;
    },
    shouldStop: () => step >= stopAt,
  });
  return events;
}

async function predict(output: string): Promise<unknown[]> {
  const opened = await open(join(scratch, output));
  const asked = Object.keys(TRANSCRIPTS).map((hertz) => ({
    text: `${hertz}.wav`,
    audio: readFileSync(join(clips, `${hertz}.wav`)),
  }));
  const written: unknown[] = [];
  for await (const { text } of opened.predict<object, { text: string }>(asked)) written.push(text);
  await opened.close();
  return written;
}

it('learns transcripts', async () => {
  const finish = (await train('whole')).at(-1);
  // Random weights write no word right.
  const before = { name: 'the model before training', value: 1, is_blind: false, is_start: true };
  expect(finish).toMatchObject({
    metrics: { eval_wer: 0, eval_wer_normalized: 0, eval_cer: 0 },
    verdict: { score: 'wer', value: 0, rows: 4, to_beat: [before], learnt: true },
  });
  // With SEQ_2_SEQ_LM, PEFT would pass `input_ids`, which Whisper does not have.
  const adapter = JSON.parse(readFileSync(join(scratch, 'whole/adapter/adapter_config.json'), 'utf8'));
  expect(adapter).toMatchObject({ peft_type: 'LORA', task_type: null });
  expect(await predict('whole')).toEqual(Object.values(TRANSCRIPTS));
});

it.each(['fp32', 'q8'] as const)('transformers.js writes the same transcripts with %s', async (dtype) => {
  const output = join(scratch, `onnx-${dtype}`);
  const opened = await open(join(scratch, 'whole'));
  await opened.export('onnx', output, { dtypes: [dtype] });
  await opened.close();
  const transcribe = await pipeline('automatic-speech-recognition', output, { dtype });
  for (const [hertz, text] of Object.entries(TRANSCRIPTS)) {
    const samples = await decodeSound(readFileSync(join(clips, `${hertz}.wav`)), hertz, 1);
    expect(await transcribe(samples)).toEqual({ text });
  }
  await transcribe.dispose();
});

it('computes the states of a frozen encoder once', async () => {
  const opened: string[] = [];
  const machine: FolderMachine = {
    ...THIS_NODE,
    async open(...given) {
      const { engine, ...base } = await THIS_NODE.open(...given);
      const open: typeof engine.open = (outputs, options) => {
        const read = reachable(Object.values(outputs)).flatMap(({ op, attributes }) =>
          op === 'input' ? [(attributes as { name: string }).name] : [],
        );
        if (read.includes('input_features')) opened.push(Object.keys(outputs).join());
        return engine.open(outputs, options);
      };
      return { ...base, engine: { ...engine, open } };
    },
  };
  const decoder = 'model\\.decoder\\..*';
  const finish = (await train('decoder', {}, { target_modules: decoder, machine })).at(-1);
  expect(finish).toMatchObject({ metrics: { eval_wer: 0 } });
  expect(opened).toEqual(['states']);
  // The opened model computes its encoder.
  expect(await predict('decoder')).toEqual(Object.values(TRANSCRIPTS));
});

it('resumes byte for byte', async () => {
  const short = { max_steps: 6, eval_strategy: 'no', save_steps: 2, logging_steps: 1 };
  await train('short', short);
  expect((await train('stopped', short, { stopAt: 3 })).at(-1)).toMatchObject({ step: 3, reason: 'stopped' });
  await train('stopped', short, { resume: true });
  const file = (output: string) =>
    readFileSync(join(scratch, output, 'adapter', 'adapter_model.safetensors'));
  expect(file('stopped').equals(file('short'))).toBe(true);
});

it('answers the client of OpenAI as the library, and refuses what it does not support', async () => {
  const { process: child } = workspace.start(['serve', 'whole', '--port', '0']);
  try {
    let url = '';
    while (!url) {
      const [text] = await once(child.stdout!, 'data');
      url = /"url":"([^"]+)"/.exec(String(text))?.[1] ?? '';
    }
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
    const ask = (options: object) => {
      const file = createReadStream(join(clips, '900.wav'));
      return client.audio.transcriptions.create({ file, model: 'whole', ...options });
    };
    expect(await ask({})).toEqual({ text: 'mid' });
    expect(await ask({ response_format: 'text' })).toBe('mid\n');
    // The model has not learned times, so its text is another one with them.
    const { segments, ...whole } = (await ask({ response_format: 'verbose_json' })) as unknown as {
      segments: { start: number; end: number; text: string }[];
    };
    expect(whole).toMatchObject({ task: 'transcribe', duration: 0.1, text: segments[0]!.text.trim() });
    const { start, end, text } = segments[0]!;
    const clock = (seconds: number, point: string) => `00:00:00${point}${seconds.toFixed(3).slice(2)}`;
    const cue = (point: string) => `${clock(start, point)} --> ${clock(end, point)}\n${text.trim()}\n`;
    expect(segments).toHaveLength(1);
    expect(await ask({ response_format: 'srt' })).toBe(`1\n${cue(',')}`);
    expect(await ask({ response_format: 'vtt' })).toBe(`WEBVTT\n\n${cue('.')}`);
    await expect(ask({ language: 'fr' })).rejects.toThrow('is not a language of the model');
    await expect(ask({ prompt: 'low' })).rejects.toThrow('`prompt` is not supported');
    await expect(ask({ model: 'x' })).rejects.toThrow('is not served');
    const body = new FormData();
    body.append('model', 'whole');
    body.append('audio', new Blob([readFileSync(join(clips, '300.wav'))]), 'low.wav');
    const predicted = await fetch(`${url}/predict`, { method: 'POST', body });
    expect(await predicted.json()).toEqual({ text: 'low', duration: 0.1 });
  } finally {
    child.kill();
  }
});

it('recognizes a folder of sounds with transcripts, and predicts a file', async () => {
  const set = ['--set', 'model=whisper', '--set', 'training.max_steps=2'];
  const trained = await workspace.run('train', 'clips', ...set);
  expect(trained).toMatchObject({ code: 0 });
  expect(trained.stdout + trained.stderr).toContain('rows have sounds and "text"');
  const predicted = await workspace.run('predict', 'runs/clips', 'clips/300.wav');
  expect(predicted).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(predicted.stdout)).toEqual({
    id: 'clips/300.wav',
    text: 'clips/300.wav',
    transcript: expect.any(String),
  });
});

it('ends with the model before training if that is no better', async () => {
  const { verdict } = (await train('kept', { max_steps: 4, learning_rate: 1e-9 })).at(-1) as {
    verdict?: object;
  };
  expect(verdict).toMatchObject({ value: 1, kept: 'start', learnt: false });
});
