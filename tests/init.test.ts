import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { newWorkspace, set, succeeds } from './support/commands.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';

const space = newWorkspace();

it('writes a config and rows that can be trained at once', async () => {
  const { code, stdout } = await space.run('init', 'my first');
  expect(code).toBe(0);
  expect(stdout).toBe(
    'Written: my first/adalora.yaml, my first/train.tsv, my first/validation.tsv\n' +
      "Next: cd 'my first' && npx adalora train\n",
  );
  const settings = [`model=${space.path('model')}`, 'training.max_steps=2', 'output=runs/short'];
  const train = (...more: string[]) => space.runIn('my first', 'train', ...set(settings), ...more);
  const trained = await train();
  expect(trained).toMatchObject({ code: 0, stderr: '' });
  // The chosen rate is printed, is in the run's config, and stays on resume.
  const [, rate] =
    /^chosen: learning_rate (\S+) \(AdaLoRA, 48 rows, width \d+\)$/m.exec(trained.stdout) ?? [];
  const config = () => parse(readFileSync(space.path('my first', 'runs/short/config.yaml'), 'utf8'));
  expect(config().training).toMatchObject({ learning_rate: Number(rate), floor: true });
  settings[1] = 'training.max_steps=3';
  const longer = await train('--resume');
  expect(longer).toMatchObject({ code: 0, stdout: expect.not.stringContaining('chosen: ') });
  expect(longer.stdout).toContain('continues after step 2');
  const labels = JSON.parse(
    readFileSync(space.path('my first', 'runs/short/adapter/adalora.json'), 'utf8'),
  ).labels;
  expect(labels).toEqual(['delivery', 'payment', 'returns']);
});

it('names the schema of a config first, for editors', async () => {
  await space.run('init', 'named');
  await space.run('init', 'train.tsv');
  for (const folder of ['named', '.']) {
    const [first] = readFileSync(space.path(folder, 'adalora.yaml'), 'utf8').split('\n');
    const [, path] = first!.match(/^# yaml-language-server: \$schema=(.*)$/) ?? [];
    expect(existsSync(join(space.path(folder), path!))).toBe(true);
  }
});

it.each([
  ['causal_lm', ''],
  ['preference', ''],
  ['tools', 'tools/call.mjs, '],
])('writes the starter of a chat model for %s, which trains', async (task, more) => {
  const { code, stdout } = await space.run('init', task, '--task', task);
  expect(code).toBe(0);
  expect(stdout).toContain(
    `Written: ${task}/adalora.yaml, ${more}${task}/train.jsonl, ${task}/validation.jsonl\n`,
  );
  writeTinyTextModel(space.path('chat-model'), 'llama', { max_position_embeddings: 1024 });
  const settings = [`model=${space.path('chat-model')}`, 'training.max_steps=2', 'data.max_length=1024'];
  await succeeds(space.runIn(task, 'train', ...set(settings)));
});

it('names the tasks that have a starter', async () => {
  const refused = await space.run('init', 'none', '--task', 'masked');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    '`--task` must be one of single_label_classification, causal_lm, preference, regression, sentence_embedding, token_classification, tools, got masked.',
  );
});

it('suggests the key model if a decoder is needed', async () => {
  space.write('text.txt', 'The cat sat.\n');
  space.write('no-model.yaml', 'task: causal_lm\ndata: {train: text.txt}\noutput: runs/none\n');
  for (const command of ['plan', 'train']) {
    const { code, stderr } = await space.run(command, 'no-model.yaml');
    expect(code).toBe(2);
    expect(stderr).toBe(
      '`model` is required for task causal_lm, because the built-in encoder cannot generate text. Set model to a folder or a Hub id, for example HuggingFaceTB/SmolLM2-135M-Instruct.\n',
    );
  }
});

it('overwrites nothing, and then writes nothing', async () => {
  const folder = space.path('own');
  await space.run('init', 'own');
  const config = join(folder, 'adalora.yaml');
  writeFileSync(config, 'mine');
  space.delete('own', 'train.tsv');
  const { code, stdout, stderr } = await space.run('init', 'own');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('own already contains own/adalora.yaml');
  expect(readFileSync(config, 'utf8')).toBe('mine');
  expect(readdirSync(folder).sort()).toEqual(['adalora.yaml', 'validation.tsv']);
});

it('reports a missing config', async () => {
  mkdirSync(space.path('empty'));
  const { code, stderr } = await space.runIn('empty', 'plan');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^adalora\.yaml does not exist/);
});
