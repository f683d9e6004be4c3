import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../../tests/support/read-rows.ts';
import type { DataOptions } from '../../input/data/rows.ts';
import { METHOD_NAMES, methodNamed } from '../../methods/tuners/registry.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { CHOSEN_TRAINING } from '../../training/run/config/training-section.ts';
import { loadConfig } from './load-config.ts';

const EXAMPLES = readdirSync('examples').filter((name) => name.endsWith('.yaml'));
const METHODS = 'methods.yaml';
const shared = existsSync('../shared/data/glue');
const isLanguage = (name: string) =>
  taskNamed(loadConfig(`examples/${name}`).task).scores.metrics.includes('perplexity');

describe.each(EXAMPLES)('%s', (name) => {
  const path = `examples/${name}`;

  it('has a comment for every key', () => {
    const lines = readFileSync(path, 'utf8').split('\n');
    const sections = lines.filter((line, i) => /^\w+:/.test(line) && !lines[i - 1]!.startsWith('#'));
    expect(sections).toEqual(['data:']);
  });
});

describe.each(METHOD_NAMES)(`the section of %s in ${METHODS}`, (method) => {
  const { config: schema } = methodNamed(method);

  it('has every key, there or in another section', () => {
    const text = readFileSync(`examples/${METHODS}`, 'utf8');
    const missing = Object.keys(schema?.shape ?? {}).filter(
      (key) => !new RegExp(`^ +(# )?${key}: `, 'm').test(text),
    );
    expect(missing).toEqual([]);
  });

  it('has the defaults', () => {
    const config = loadConfig(`examples/${METHODS}`, [`method=${method}`]);
    if (schema) expect(config[method as keyof typeof config]).toMatchObject(schema.parse({}));
    expect(config.training.learning_rate).toBe(methodNamed(method).learningRate);
  });
});

const ADALORA = { target_r: 8, init_r: 12, lora_alpha: 16, tinit: '10%', tfinal: '40%', deltaT: 10 };
const LORA = { r: 8, lora_alpha: 16 };

describe.each(EXAMPLES.filter((name) => name !== METHODS && !isLanguage(name)))('%s', (name) => {
  const path = `examples/${name}`;

  it('trains with both methods', () => {
    expect(loadConfig(path, ['method=lora'])).toMatchObject({ lora: LORA });
    const { training, adalora } = loadConfig(path);
    expect(adalora).toMatchObject(ADALORA);
    // Every example sets all keys but the learning rate. For XSum, the paper gives a rate.
    expect(CHOSEN_TRAINING.filter((key) => training[key] === undefined)).toEqual(
      name === 'summarize.yaml' ? [] : ['learning_rate'],
    );
  });

  it.skipIf(!shared || !('label' in loadConfig(path).data))(
    'reads the files of GLUE (skipped without ../shared, and if a row has no label)',
    () => {
      const { data } = loadConfig(path);
      const rows = readRows(`../shared/${data.validation}`, data as DataOptions);
      expect(rows.length).toBe({ cola: 1043, mrpc: 408, stsb: 1500, rte: 277 }[basename(name, '.yaml')]);
      expect(rows.every(({ textPair }) => (textPair === undefined) === (name === 'cola.yaml'))).toBe(true);
    },
  );
});

describe('language models', () => {
  it('are three examples', () => {
    expect(EXAMPLES.filter(isLanguage)).toEqual(['chat.yaml', 'completion.yaml', 'pretrain-mlm.yaml']);
  });

  it.each(['chat.yaml', 'completion.yaml'])('%s trains with both methods', (name) => {
    expect(loadConfig(`examples/${name}`)).toMatchObject({ task: 'causal_lm', adalora: ADALORA });
    expect(loadConfig(`examples/${name}`, ['method=lora'])).toMatchObject({ lora: LORA });
  });

  it('pretrain-mlm.yaml starts from new weights', () => {
    expect(loadConfig('examples/pretrain-mlm.yaml')).toMatchObject({
      model_init: 'random',
      method: 'full',
      training: { metric_for_best_model: 'loss', greater_is_better: false },
    });
  });
});
