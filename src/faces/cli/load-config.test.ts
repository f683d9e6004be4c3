import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { DEFAULT_TASK } from '../../tasks/registry.ts';
import { knownKeys } from '../../training/run/config/run-config.ts';
import { KEY_FLAGS } from './flags.ts';
import { loadConfig } from './load-config.ts';

const folder = newFolder();

const BASE = `model: bert-base-uncased
data:
  train: train.tsv
  text: sentence
  label: label
training:
output: runs/a
`;

function load(yaml: string, ...settings: string[]) {
  const path = join(folder, 'run.yaml');
  writeFileSync(path, yaml);
  return loadConfig(path, settings);
}

function messageOf(yaml: string, ...settings: string[]): string {
  try {
    load(yaml, ...settings);
  } catch (error) {
    if (error instanceof UserError) return error.message.replaceAll(`${folder}/`, '');
    throw error;
  }
  throw new Error('no error');
}

describe('--set', () => {
  it('takes YAML values, and # literally', () => {
    const config = load(
      BASE,
      'training.learning_rate=1e-3',
      'data.text=#1 String',
      'data.text_pair=3',
      'adalora={target_r: 4, tinit: 10%}',
      'adalora.target_modules=[query, value]',
      'data.train=/a b/c #d.tsv',
      'data.label="4"',
    );
    expect(config).toMatchObject({
      training: { learning_rate: 1e-3 },
      data: { text: '#1 String', text_pair: 3, label: '4', train: '/a b/c #d.tsv' },
      adalora: { target_r: 4, tinit: '10%', target_modules: ['query', 'value'] },
    });
  });

  it('takes keys literally, also if they are equal numbers in YAML', () => {
    const weights = { 1: 3, '1.0': 2, '01': 4, '1234567890123456789': 5, True: 6, '~': 7 };
    const yaml = `{1: 3, 1.0: 2, 01: 4, 1234567890123456789: 5, True: 6, ~: 7}`;
    const inFile = BASE.replace('training:', `training: {class_weights: ${yaml}}`);
    expect(load(inFile).training.class_weights).toEqual(weights);
    expect(load(BASE, `training.class_weights=${yaml}`).training.class_weights).toEqual(weights);
    expect(load(inFile, 'training.class_weights.1=8').training.class_weights).toEqual({ ...weights, 1: 8 });
    expect(messageOf(inFile.replace('01', '1'))).toContain('Map keys must be unique');
  });

  it('takes non-ASCII keys', () => {
    const { training } = load(BASE, 'training.class_weights.größe=3', 'training.class_weights.very good=2');
    expect(training.class_weights).toEqual({ größe: 3, 'very good': 2 });
  });

  it('removes a key with null, and the last of two values counts', () => {
    expect(load(BASE, 'seed=1', 'seed=2').seed).toBe(2);
    expect(load(`${BASE}seed: 3\n`, 'seed=null').seed).toBe(0);
  });

  it('reports an unknown key without a value', () => {
    expect(messageOf(BASE, 'adalora={target_r:2,tinit: 5}', 'nothing=null')).toMatchInlineSnapshot(`
      "--set: \`adalora.target_r:2\` is not a known key. YAML needs a space after the colon: target_r: 2
      --set: \`nothing\` is not a known key. Known: model, model_init, model_config, base_dtype, task, method, adapter, defaults, output, seed, device, threads, data, training, adalora, lora, adadora, igulora, elalora, svd_lora, prune_lora, ia3, houlsby, pfeiffer."
    `);
    expect(load(BASE, 'adalora={target_r: null}').adalora).toEqual(load(BASE).adalora);
  });

  it('reports an invalid setting', () => {
    expect(messageOf(BASE, 'seed')).toMatchInlineSnapshot(
      `"\`--set\` must be key=value, got "seed". For example: --set training.learning_rate=1e-3"`,
    );
    expect(messageOf(BASE, 'model.name=x')).toMatchInlineSnapshot(
      `"--set model.name=x: \`model.name\` cannot be set, because model has a value and no keys."`,
    );
    expect(messageOf(BASE, 'seed=[1')).toMatchInlineSnapshot(
      `"--set seed=[1 has a value that is not valid YAML. Quote it for YAML and for the shell: --set 'key="value"'."`,
    );
    expect(messageOf(BASE, 'training.learnign_rate=1', 'seed=x')).toMatchInlineSnapshot(`
      "--set: \`seed\` must be a number, got "x".
      --set: \`training.learnign_rate\` is not a known key. Did you mean learning_rate?"
    `);
  });
});

describe('loadConfig', () => {
  it('reports the lines of all errors', () => {
    const wrong = `model: bert-base-uncased
method: adlora
learning_rate: 1e-3
data:
  train: train.tsv
  text: sentence
training:
  num_train_epochs: 0
  max_steps: 0
  eval_strategy: epoch
  warmup_ration: 0.06
adalora:
  tinit: [1]
  deltaT: 0
  beta1: 1
  lora_alpha: high
  target_modules: []
lora: 3
`;
    expect(messageOf(wrong)).toMatchInlineSnapshot(`
      "run.yaml:2: \`method\` must be one of adalora, lora, adadora, igulora, elalora, svd_lora, prune_lora, ia3, bitfit, houlsby, pfeiffer, full, or the path of a file that defines one (my-method.mjs), got "adlora". Did you mean adalora?
      run.yaml: \`output\` is required (a string). Set output in the config.
      run.yaml:4: \`data.label\` is required (the name of a column, its number from 0, or a list of columns). Set data.label in the config.
      run.yaml:8: \`training.num_train_epochs\` must be greater than 0, got 0.
      run.yaml:9: \`training.max_steps\` must be at least 1, or -1 to use num_train_epochs, got 0.
      run.yaml:11: \`training.warmup_ration\` is not a known key. Did you mean warmup_ratio, warmup_steps?
      run.yaml:17: \`adalora.target_modules\` must be a list with at least one entry, got [].
      run.yaml:16: \`adalora.lora_alpha\` must be a number, got "high".
      run.yaml:13: \`adalora.tinit\` must be a whole number from 0, or a share such as 10%, got [1].
      run.yaml:14: \`adalora.deltaT\` must be at least 1, got 0.
      run.yaml:15: \`adalora.beta1\` must be less than 1, got 1.
      run.yaml:18: \`lora\` must be a section with keys, got 3.
      run.yaml:3: \`learning_rate\` is not a known key. It is a key of training."
    `);
  });

  it('reports invalid YAML', () => {
    expect(messageOf('model: a\nmodel: b\ndata: [1')).toMatchInlineSnapshot(`
      "run.yaml:2 is not valid YAML. Map keys must be unique
      run.yaml:3 is not valid YAML. Flow sequence in block collection must be sufficiently indented and end with a ]"
    `);
    expect(messageOf('# nothing\n')).toMatchInlineSnapshot(
      `"run.yaml is empty. A config is a list of keys and values (see examples/)."`,
    );
    expect(messageOf('- a\n')).toMatchInlineSnapshot(
      `"run.yaml has no keys. A config is a list of keys and values (see examples/)."`,
    );
    expect(() => loadConfig(join(folder, 'rum.yaml'))).toThrow('Did you mean run.yaml?');
    expect(() => loadConfig(folder)).toThrow('is a folder or a device. Pass a config file');
  });
});

it.each(Object.keys(KEY_FLAGS))('the flag of %s sets a key of the config', (key) => {
  const [name, section = ''] = key.split('.').reverse();
  expect(knownKeys(DEFAULT_TASK)[section]).toContain(name);
});
