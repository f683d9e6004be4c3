import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { newWorkspace } from './support/commands.ts';
import { newFolder } from './support/new-folder.ts';

/** The common part of the configs of several runs. */
const RUN = `model: model
defaults: huggingface
method: lora
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training: {max_steps: 2, per_device_train_batch_size: 16}
`;
const TELLING = pathToFileURL('tests/support/tell-threads.mjs').href;
const folder = newFolder();
const told = join(folder, 'threads');
/** Processes that a command starts also tell their threads. */
const work = newWorkspace({ NODE_OPTIONS: `--import ${TELLING}`, TOLD: told, ADALORA_THREADS: '3' });

/** The numbers of threads of the sessions that a command opens. It reports nothing but its progress. */
async function threadsOf(...args: string[]): Promise<Set<string>> {
  rmSync(told, { force: true });
  const { code, stderr } = await work.runWith('good\n', ...args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return new Set(readFileSync(told, 'utf8').trim().split('\n'));
}

it('sets the threads of a training and of a prediction', async () => {
  const train = ['train', 'run.yaml', '--set', 'training.max_steps=4'];
  expect(await threadsOf(...train, '--threads', '2')).toEqual(new Set(['2']));
  expect(work.read('run', 'config.yaml').toString()).toContain('\nthreads: 2\n');
  expect(await threadsOf('predict', 'run', '--threads', '2')).toEqual(new Set(['2']));
  expect(await threadsOf('predict', 'run')).toEqual(new Set(['3']));
});

it('sets the threads of every run of a sweep, over those in its file', async () => {
  work.write('sweep.yaml', `${RUN}output: sweep\nseeds: 2\nthreads: 1\n`);
  expect(await threadsOf('compare', 'sweep.yaml', '--threads', '2')).toEqual(new Set(['2']));
  expect(work.read('sweep/runs/run/lora/seed-1/config.yaml').toString()).toContain('\nthreads: 2\n');
});

it('resumes with another number of threads', async () => {
  const train = ['train', 'run.yaml', '--set', 'training.max_steps=8', '--set', 'output=other'];
  await threadsOf(...train, '--set', 'training.stop_at_step=4', '--threads', '1');
  expect(await threadsOf(...train, '--threads', '2', '--resume')).toEqual(new Set(['2']));
});

it('rejects a number that is not positive', async () => {
  expect((await work.train('threads=0')).stderr).toBe('--set: `threads` must be at least 1, got 0.\n');
  expect((await work.run('predict', 'model', '--threads', 'all')).stderr).toContain(
    'Use a whole number from 1.',
  );
});
