import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import { sectionKeys } from '../src/training/run/config/read-method.ts';
import { describeChosen } from '../src/training/run/config/resolve-config.ts';
import { CHOSEN_TRAINING } from '../src/training/run/config/training-section.ts';
import { newWorkspace } from './support/commands.ts';
import { writeTinyData } from './support/tiny-data.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';

const workspace = newWorkspace();
beforeAll(() => {
  // Few enough rows for a linear probe.
  writeTinyData(workspace.path('few.tsv'), 24, 1);
  workspace.write('few.txt', 'the cat sat on the mat.\n'.repeat(12));
  writeTinyTextModel(workspace.path('gpt2'), 'gpt2');
});

const rows = { train: 'few.tsv', text: 'sentence', label: 'label' };
const TASKS = {
  classification: { model: 'model', data: rows },
  regression: { model: 'model', task: 'regression', data: { ...rows, label: 'score' } },
  causal_lm: {
    model: 'gpt2',
    task: 'causal_lm',
    data: { train: 'few.txt', validation: 'few.txt', sample_by: 'line', max_length: 64 },
  },
  embeddings: {
    model: 'model',
    task: 'sentence_embedding',
    data: { train: 'few.tsv', anchor: 'sentence', positive: 'pair' },
  },
};
const METHOD = 'adalora';

/** Values by dotted key, without lists' items. */
function leaves(value: unknown, path = ''): [key: string, value: unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

const chosenIn = (stdout: string) => [...stdout.matchAll(/^chosen: (.*) \(.*\)$/gm)].map(([, what]) => what!);
const asPrinted = (key: string, value: unknown) => describeChosen({ key, value, reason: '' }).slice(0, -3);

describe.each(Object.entries(TASKS))('the values chosen for %s', (name, task) => {
  const config = { ...task, method: METHOD, output: `run-${name}` };
  const file = `${name}.yaml`;
  let chosen: [key: string, value: unknown][];
  beforeAll(async () => {
    workspace.write(file, stringify(config));
    const trained = await workspace.run('train', file);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    const given = new Map(leaves(parseRunConfig(config, 'test')));
    const written = leaves(parse(`${workspace.read(config.output, 'config.yaml')}`));
    chosen = written.filter(([key]) => !given.has(key));
    expect(chosenIn(trained.stdout).sort()).toEqual(chosen.map((one) => asPrinted(...one)).sort());
  });

  it('are all that the policy can choose for it, and plan prints them too', async () => {
    const isLanguage = name === 'causal_lm';
    const evaluates = ['eval_strategy', 'floor'];
    const keys = chosen.map(([key]) => key);
    for (const key of CHOSEN_TRAINING)
      if (!(isLanguage && evaluates.includes(key))) expect(keys).toContain(`training.${key}`);
    for (const key of sectionKeys(METHOD)) expect(keys).toContain(`${METHOD}.${key}`);
    expect(keys.includes('data.validation')).toBe(!isLanguage);
    const labeled = name === 'classification' || name === 'regression';
    expect(keys.includes('training.floor')).toBe(labeled || name === 'embeddings');
    expect(keys.includes('data.pooling')).toBe(labeled);
    const { code, stdout } = await workspace.run('plan', file);
    expect(code).toBe(0);
    expect(chosenIn(stdout).sort()).toEqual(chosen.map((one) => asPrinted(...one)).sort());
  });

  it('are not reported if they are set, one or all', async () => {
    const settings = chosen.map(([key, value]) => ['--set', `${key}=${value}`]);
    // Each alone for one task: all keys are set in the same way.
    for (const [i, [key]] of name === 'classification' ? chosen.entries() : []) {
      const { code, stdout } = await workspace.run('plan', file, ...settings[i]!);
      expect(code).toBe(0);
      const names = chosenIn(stdout).map((what) => what.split(' ')[0]);
      expect(names).not.toContain(key.split('.').at(-1));
      expect(names.length).toBeGreaterThan(0);
    }
    const { stdout } = await workspace.run('plan', file, ...settings.flat());
    expect(chosenIn(stdout)).toEqual([]);
  });
});
