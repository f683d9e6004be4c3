import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { Workspace } from './support/workspace.ts';

const TELLING = pathToFileURL('tests/support/tell-threads.mjs').href;
const work = new Workspace();
const told = work.path('told');

afterAll(() => work.remove());

/** The numbers of threads of the sessions that a command opens. */
async function threadsOf(...args: string[]): Promise<Set<string>> {
  work.delete('told');
  const env = { NODE_OPTIONS: `--import ${TELLING}`, TOLD: told, ADALORA_THREADS: '3' };
  const { code, stderr } = await work.start(args, { env, input: 'good\n' }).ended;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return new Set(work.read('told').toString().trim().split('\n'));
}

it('sets the threads of a training and of a prediction', async () => {
  const train = ['train', 'run.yaml', '--set', 'training.max_steps=4'];
  expect(await threadsOf(...train, '--threads', '2')).toEqual(new Set(['2']));
  expect(work.read('run', 'config.yaml').toString()).toContain('\nthreads: 2\n');
  expect(await threadsOf('predict', 'run', '--threads', '2')).toEqual(new Set(['2']));
  expect(await threadsOf('predict', 'run')).toEqual(new Set(['3']));
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
