import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { TrainEvent } from '../src/run/events.ts';
import { type TrainOptions, train } from '../src/web/train.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyModel } from './support/tiny-model.ts';

/** Ranks are final at step 10 of 16. */
const CONFIG = {
  defaults: 'huggingface' as const,
  data: { train: 'rows.tsv', validation: 'dev.tsv', text: 'sentence', label: 'label', max_length: 16 },
  training: { max_steps: 16, per_device_train_batch_size: 8, logging_steps: 1 },
  adalora: { target_r: 2, init_r: 3, tinit: 2, tfinal: 6, deltaT: 2 },
};

let model: Map<string, Uint8Array>;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  writeTinyModel(folder);
  model = new Map(
    readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]),
  );
  rmSync(folder, { recursive: true });
});

function rows(seed: number): string {
  const lines = tinyRows(40, seed).map(({ text, label }) => `${text}\t${label}`);
  return ['sentence\tlabel', ...lines].join('\n');
}

function run(options: Partial<TrainOptions> = {}, config: object = CONFIG) {
  const files = { 'rows.tsv': rows(1), 'dev.tsv': rows(2) };
  return train({ ...CONFIG, model: 'tiny', ...config }, { files, model, threads: 1, ...options });
}

/** A run that writes a checkpoint after every step, stopped after some. */
async function stoppedAfter(steps: number): Promise<Blob> {
  const controller = new AbortController();
  let checkpoint: Blob | undefined;
  const onEvent = (event: TrainEvent) => event.type === 'step' && event.step === steps && controller.abort();
  const keep = (blob: Blob) => {
    checkpoint = blob;
  };
  const options = { checkpointSeconds: 0, onCheckpoint: keep, onEvent, signal: controller.signal };
  expect(await run(options)).toMatchObject({ reason: 'stopped', step: steps });
  return checkpoint!;
}

it('a run in a page resumes from its checkpoint as if it had never stopped', async () => {
  const whole = await run();
  for (const step of [4, 12]) {
    const steps: number[] = [];
    const onEvent = (event: TrainEvent) => event.type === 'step' && steps.push(event.step);
    const resumed = await run({ checkpoint: await stoppedAfter(step), onEvent });
    expect(steps[0]).toBe(step + 1);
    expect(resumed.adapter!.get('adapter_model.safetensors')).toEqual(
      whole.adapter!.get('adapter_model.safetensors'),
    );
    expect(resumed).toMatchObject({ step: 16, ranks: whole.ranks, metrics: whole.metrics });
  }
});

it('stores the first step and the end by default, and the end returns the result again', async () => {
  const kept: Blob[] = [];
  const whole = await run({ onCheckpoint: (blob) => void kept.push(blob), checkpointSeconds: 1000 });
  expect(kept).toHaveLength(2);
  const again = await run({ checkpoint: kept[1] });
  expect(again.adapter).toEqual(whole.adapter);
  expect(again.metrics).toEqual(whole.metrics);
});

it('does not resume from a checkpoint of another run, or an invalid one', async () => {
  const checkpoint = await stoppedAfter(2);
  await expect(run({ checkpoint }, { seed: 1 })).rejects.toThrow(
    'checkpoint belongs to a run with another config, other files or another model',
  );
  const bytes = new Uint8Array(await checkpoint.arrayBuffer());
  await expect(run({ checkpoint: bytes.slice(0, 1000) })).rejects.toThrow(/^checkpoint /);
  const header = new TextDecoder('latin1').decode(bytes.subarray(0, 4000));
  const place = header.indexOf('optimizerStep');
  bytes[place] = 'x'.charCodeAt(0);
  await expect(run({ checkpoint: bytes })).rejects.toThrow(
    /^checkpoint is damaged: its state has an invalid/,
  );
});
