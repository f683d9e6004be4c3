import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Workspace } from './support/workspace.ts';

let space: Workspace;
beforeAll(() => {
  space = new Workspace();
});
afterAll(() => space.remove());

it('writes a config and rows that train at once', async () => {
  const { code, stdout } = await space.run('init', 'my first');
  expect(code).toBe(0);
  expect(stdout).toBe(
    'Written: my first/adalora.yaml, my first/train.tsv, my first/validation.tsv\n' +
      "Next: cd 'my first' && npx adalora train\n",
  );
  const settings = [`model=${space.path('model')}`, 'training.max_steps=2', 'output=runs/short'];
  const train = (...more: string[]) =>
    space.start(['train', ...settings.flatMap((setting) => ['--set', setting]), ...more], {
      cwd: space.path('my first'),
    }).ended;
  const trained = await train();
  expect(trained).toMatchObject({ code: 0, stderr: '' });
  // What it chose is told, stands in the run's config, and stays when the run goes on.
  const [, rate] =
    /^chosen: learning_rate (\S+) \(AdaLoRA, 48 rows, width \d+\)$/m.exec(trained.stdout) ?? [];
  const config = () => parse(readFileSync(space.path('my first', 'runs/short/config.yaml'), 'utf8'));
  expect(config().training).toMatchObject({ learning_rate: Number(rate), load_best_model_at_end: true });
  settings[1] = 'training.max_steps=3';
  const longer = await train('--resume');
  expect(longer).toMatchObject({ code: 0, stdout: expect.not.stringContaining('chosen: ') });
  expect(longer.stdout).toContain('continues after step 2');
  const labels = JSON.parse(
    readFileSync(space.path('my first', 'runs/short/adapter/adalora.json'), 'utf8'),
  ).labels;
  expect(labels).toEqual(['delivery', 'payment', 'returns']);
});

it('overwrites nothing, and then writes nothing', async () => {
  const folder = space.path('own');
  await space.run('init', 'own');
  const config = join(folder, 'adalora.yaml');
  writeFileSync(config, 'mine');
  space.delete('own', 'train.tsv');
  const { code, stdout, stderr } = await space.run('init', 'own');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(
    'own: expected a folder without the files that are to be written, got own/adalora.yaml',
  );
  expect(readFileSync(config, 'utf8')).toBe('mine');
  expect(readdirSync(folder).sort()).toEqual(['adalora.yaml', 'validation.tsv']);
});

it('says what is missing where there is no config', async () => {
  const { code, stderr } = await space.run('plan');
  expect(code).toBe(2);
  expect(stderr).toBe(
    'adalora.yaml: expected a config file in this folder, or the path of another, got neither. adalora init writes one.\n',
  );
});
