import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { codeBlocks } from './support/code-blocks.ts';
import { newFolder } from './support/new-folder.ts';

/* The batch scripts of docs/slurm.md, with their programs replaced: how they handle a signal and an exit code. */

const SCRIPTS = codeBlocks('docs/slurm.md')
  .map(({ text }) => text)
  .filter((code) => code.includes('#SBATCH'));

/** Prints its arguments, and then takes three seconds, or until SIGTERM. */
const LONG = 'trap \'exit 130\' TERM\necho "$@"\nfor _ in $(seq 30); do sleep 0.1; done';

let folder: string;
beforeEach(() => {
  folder = newFolder();
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  command('scontrol', 'echo "$@" > told');
  command('srun', 'shift 3; "$@"');
});

function command(path: string, body: string): void {
  writeFileSync(join(folder, path), `#!/usr/bin/env bash\n${body}\n`);
  chmodSync(join(folder, path), 0o755);
}

const environment = () => ({
  PATH: `${folder}${delimiter}${process.env.PATH}`,
  SLURM_SUBMIT_DIR: folder,
  SLURM_JOB_ID: '7',
  SLURM_ARRAY_TASK_ID: '3',
  SLURM_ARRAY_TASK_COUNT: '1',
});
const told = () =>
  existsSync(join(folder, 'told')) ? readFileSync(join(folder, 'told'), 'utf8') : undefined;

describe.each(SCRIPTS.map((code) => [/--job-name=(\S+)/.exec(code)?.[1], code] as const))('%s', (_, code) => {
  it.each([0, 1, 2])('ends with the exit code %i, and is not requeued', (status) => {
    command('node_modules/.bin/adalora', `exit ${status}`);
    expect(spawnSync('bash', ['-c', code], { env: environment() })).toMatchObject({ status });
    expect(told()).toBeUndefined();
  });

  it('is requeued if a run was stopped', () => {
    command('node_modules/.bin/adalora', 'exit 130');
    expect(spawnSync('bash', ['-c', code], { env: environment() })).toMatchObject({ status: 130 });
    expect(told()).toBe('requeue 7\n');
  });
});

it('the script of an array passes a signal on, and runs the same share again', async () => {
  command('node_modules/.bin/adalora', LONG);
  const child = spawn('bash', ['-c', SCRIPTS[1]!], { env: environment() });
  let words = '';
  child.stdout.on('data', (text) => {
    words += text;
    child.kill('SIGTERM');
  });
  expect(await new Promise((done) => child.on('close', done))).toBe(130);
  expect(words).toContain('--shard 3/4');
  expect(told()).toBe('requeue 7\n');
});
