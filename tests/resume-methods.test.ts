import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { METHOD_NAMES, methodNamed } from '../src/methods/tuners/registry.ts';
import { train } from '../src/studies/jobs/node/train.ts';
import type { RunConfigInput } from '../src/training/run/config/run-config.ts';
import { newFolder } from './support/new-folder.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyModel } from './support/tiny-model.ts';
import { trainHere } from './support/train-here.ts';

/*
 * Every method with an adapter. Ranks that move do so before and after the stop.
 */

const STEPS = 8;
const STOP = 4;
const TWO = { r: 2, lora_dropout: 0.1 };

const MOVING = { lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3 };

/** Settings that a method needs here, or that make it do more. */
const SETTINGS: Partial<Record<string, object>> = {
  ...Object.fromEntries(
    ['adalora', 'adadora', 'igulora'].map((name) => [name, { ...MOVING, target_r: 2, init_r: 4 }]),
  ),
  prune_lora: { ...MOVING, target_r: 2, init_r: 4 },
  elalora: { ...MOVING, r: 3, b: 2, schedule: 'constant' },
  svd_lora: { ...TWO, orth_reg_weight: 0.1 },
};

/** The variants of LoRA, each with state of its own. */
const LORA = {
  DoRA: { use_dora: true },
  PiSSA: { init_lora_weights: 'pissa' },
  'DoRA from PiSSA': { use_dora: true, init_lora_weights: 'pissa' },
  'LoRA+': { loraplus_lr_ratio: 16 },
};

const root = newFolder();
const model = join(root, 'tiny');
writeTinyModel(model);
// Each thread would compile the engine for itself.
afterAll(trainHere());
beforeAll(() => {
  const lines = tinyRows(40, 1).map(({ text, label }) => `${text}\t${label}`);
  writeFileSync(join(root, 'rows.tsv'), ['sentence\tlabel', ...lines].join('\n'));
});

const withAdapter = METHOD_NAMES.filter((name) => methodNamed(name).trains === 'adapter');
const CASES: [string, object][] = [
  ...withAdapter.map((name): [string, object] => [
    name,
    { method: name, ...(methodNamed(name).config && { [name]: SETTINGS[name] }) },
  ]),
  ...Object.entries(LORA).map(([name, own]): [string, object] => [
    name,
    { method: 'lora', lora: { ...TWO, ...own } },
  ]),
  [
    'LoftQ',
    {
      ...{ method: 'lora', base_dtype: 'int4' },
      lora: { ...TWO, init_lora_weights: 'loftq', target_modules: ['query', 'output.dense'] },
    },
  ],
];

/** Every file of a run's adapter. */
function adapterOf(output: string): Map<string, Buffer> {
  const folder = join(output, 'adapter');
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

it.each(CASES)('a stopped run with %s ends with the same adapter byte for byte', async (name, method) => {
  const configOf = (output: string) =>
    ({
      model,
      output,
      defaults: 'huggingface',
      ...method,
      data: { train: join(root, 'rows.tsv'), text: 'sentence', label: 'label', max_length: 16 },
      // An epoch ends within a step, and the stop is within an epoch.
      training: {
        max_steps: STEPS,
        per_device_train_batch_size: 8,
        gradient_accumulation_steps: 2,
        learning_rate: 1e-2,
        save_steps: 100,
        logging_steps: 1,
      },
    }) as RunConfigInput;
  const [whole, parts] = ['whole', 'parts'].map((part) => join(root, `${name}-${part}`)) as [string, string];
  await train(configOf(whole));
  const controller = new AbortController();
  const onStepEnd = ({ step }: { step: number }) => {
    if (step === STOP) controller.abort();
  };
  const options = { onStepEnd, signal: controller.signal };
  expect(await train(configOf(parts), options)).toMatchObject({ reason: 'stopped', step: STOP });
  const steps: number[] = [];
  await train(configOf(parts), {
    resume: true,
    onEvent: (event) => void (event.type === 'step' && steps.push(event.step)),
  });
  expect(steps).toEqual(Array.from({ length: STEPS - STOP }, (_, i) => STOP + 1 + i));
  const expected = adapterOf(whole);
  const found = adapterOf(parts);
  expect([...found.keys()]).toEqual([...expected.keys()]);
  for (const [file, content] of expected) expect(found.get(file)!.equals(content), file).toBe(true);
});
