import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainEvent } from '../src/training/run/events.ts';
import { newWorkspace, set } from './support/commands.ts';
import { MPI_ENVIRONMENT, mpirun, NO_OPEN_MPI } from './support/open-mpi.ts';
import { eventsIn, eventsOf, type StartOptions } from './support/workspace.ts';

/* Runs shared by several processes, compared with the same run in one. Batches of 12 are divisible by 1, 2, 3 and 4. */

const BATCH = 12;
const SETTINGS = ['training.logging_steps=1', 'training.save_steps=5', 'training.max_steps=50'];

const workspace = newWorkspace();

const words = (output: string, processes: number, settings: readonly string[] = []) => [
  ...['train', 'run.yaml', '--json'],
  ...set([
    ...SETTINGS,
    `output=${output}`,
    `training.per_device_train_batch_size=${BATCH / processes}`,
    ...settings,
  ]),
];
/** Too long to end by itself, however late a signal comes. Its ranks fall between steps 60 and 100. */
const LONG = ['training.max_steps=20000', 'adalora.tinit=60', 'adalora.tfinal=19900'];
const launched = (processes: number): StartOptions => ({
  env: MPI_ENVIRONMENT,
  ...(processes > 1 && { launcher: mpirun(processes) }),
});
/** Runs a command to its end: in the shared process if it needs no others. */
const run = (command: readonly string[], processes: number) =>
  processes === 1 ? workspace.run(...command) : workspace.start(command, launched(processes)).ended;
const train = (output: string, processes: number, ...more: string[]) =>
  run([...words(output, processes), ...more], processes);
const losses = (output: string) => eventsOf(workspace.events(output), 'step').map(({ loss }) => loss);
const bytes = (output: string, name = 'adapter/adapter_model.safetensors') => workspace.read(output, name);

function expectSameLosses(output: string): void {
  const alone = losses('alone');
  expect(losses(output)).toHaveLength(alone.length);
  // Sums of 32-bit numbers in another order; ranks follow from the values.
  for (const [i, loss] of losses(output).entries()) expect(Math.abs(loss / alone[i]! - 1)).toBeLessThan(1e-5);
  const allocations = (run: string) =>
    eventsOf(workspace.events(run), 'allocation').map(({ step, ranks }) => ({ step, ranks }));
  expect(allocations('alone').length).toBeGreaterThan(1);
  expect(allocations(output)).toEqual(allocations('alone'));
}

describe.skipIf(NO_OPEN_MPI)(`several processes (${NO_OPEN_MPI ?? 'Open MPI'})`, { timeout: 240_000 }, () => {
  beforeAll(async () => {
    expect(await train('alone', 1)).toMatchObject({ code: 0 });
    expect(await train('two', 2)).toMatchObject({ code: 0 });
  });

  it('train the same as a single one, with the same files', async () => {
    expectSameLosses('two');
    expect(workspace.read('two', 'config.yaml').toString()).toBe(
      workspace.read('alone', 'config.yaml').toString().replace('output: alone', 'output: two'),
    );
    const filesOf = (output: string) => readdirSync(workspace.path(output), { recursive: true }).sort();
    expect(filesOf('two')).toEqual(filesOf('alone'));
    const [alone, two] = ['alone', 'two'].map((run) => eventsOf(workspace.events(run), 'finish')[0]!.metrics);
    expect(two!.eval_accuracy).toBe(alone!.eval_accuracy);
    expect(two!.eval_loss).toBeCloseTo(alone!.eval_loss!, 5);
  });

  it('train the same a second time, byte for byte, when they ask MPI for their number', async () => {
    const { env, launcher = [] } = launched(2);
    const unsaid = [...launcher, 'env', '-u', 'OMPI_COMM_WORLD_SIZE'];
    expect(await workspace.start(words('unsaid', 2), { env, launcher: unsaid }).ended).toMatchObject({
      code: 0,
    });
    expect(bytes('unsaid').equals(bytes('two'))).toBe(true);
  });

  it('stop on a signal with a checkpoint, end when one is killed, and resume with another number', async () => {
    // Open MPI's delay between a signal and SIGKILL; its default is a second.
    const env = { ...MPI_ENVIRONMENT, OMPI_MCA_odls_base_sigkill_timeout: '10' };
    const stopped = async (output: string, processes: number, step: number, ...more: string[]) => {
      const started = workspace.start([...words(output, processes, LONG), ...more], {
        ...launched(processes),
        env,
      });
      await printed(started.process, (event) => event.type === 'step' && event.step >= step);
      started.process.kill('SIGTERM');
      const ended = await started.ended;
      expect(eventsOf(workspace.events(output), 'finish').at(-1)?.reason).toBe('stopped');
      return ended;
    };
    await stopped('long', 1, 50);
    await stopped('broken', 2, 1);

    const killed = workspace.start([...words('broken', 3, LONG), '--resume'], launched(3));
    await printed(killed.process, ({ type }) => type === 'checkpoint');
    process.kill(Number(processesUnder(Number(killed.process.pid)).at(-1)), 'SIGKILL');
    const { code, stdout, stderr } = await killed.ended;
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/process rank \d .*exited on signal 9/s);

    // The launcher may end slightly before its processes, so the lock is waited for.
    const resumed = await stopped('broken', 1, 120, '--resume');
    expect(resumed.code).toBe(130);
    expect(resumed.stderr).toMatch(/^Finishing the step and .*\nTo continue: .*\n$/);
    expect(eventsOf(eventsIn(resumed.stdout), 'start')[0]!.step).toBeGreaterThan(0);
    const ranks = eventsOf(workspace.events('broken'), 'allocation').at(-1)?.ranks ?? {};
    expect(Object.values(ranks).reduce((sum, rank) => sum + rank, 0)).toBe(2 * Object.keys(ranks).length);
    // No step is lost or reported twice.
    const { step } = eventsOf(workspace.events('broken'), 'finish').at(-1)!;
    expect(losses('broken')).toHaveLength(step);
    // Other numbers of processes sum in another order. The difference is 4e-7 at step 42, whose loss is 0.014, and some
    // 1e-5 at step 50.
    for (const [i, loss] of losses('broken').slice(0, 50).entries())
      expect(loss).toBeCloseTo(losses('long')[i]!, 4);
  });

  it('train embeddings of sentences on all texts of a batch', async () => {
    const answers = ['cat', 'dog', 'bird', 'house', 'tree', 'mat'].map((word) => ({
      question: `the ${word}`,
      answer: `old ${word} , red ${word}`,
    }));
    workspace.write('pairs.jsonl', answers.map((pair) => JSON.stringify(pair)).join('\n'));
    for (const [output, processes] of [
      ['texts-alone', 1],
      ['texts-of-two', 2],
    ] as const) {
      const config = {
        model: resolve('src/tasks/sentence-embedding/fixtures/model'),
        task: 'sentence_embedding',
        method: 'lora',
        lora: { r: 4, lora_alpha: 16, target_modules: ['query', 'value', 'intermediate.dense'] },
        data: { train: 'pairs.jsonl', anchor: 'question', positive: 'answer', mini_batch_size: 2 },
        training: {
          max_steps: 8,
          learning_rate: 0.01,
          logging_steps: 1,
          per_device_train_batch_size: 6 / processes,
        },
        output,
      };
      workspace.write(`${output}.json`, JSON.stringify(config));
      expect(await run(['train', `${output}.json`], processes)).toMatchObject({ code: 0 });
    }
    expect(losses('texts-of-two')).toHaveLength(8);
    // Sums of 32-bit numbers in another order.
    for (const [i, loss] of losses('texts-of-two').entries())
      expect(loss / losses('texts-alone')[i]!).toBeCloseTo(1, 4);
  });

  it('report a host with other data before the first step, and another global batch', async () => {
    workspace.write(
      'other.tsv',
      readFileSync(workspace.path('train.tsv'), 'utf8').split('\n').slice(0, -2).join('\n'),
    );
    const script =
      'exec "$@" --set data.train=$([ "$OMPI_COMM_WORLD_RANK" = 1 ] && echo other.tsv || echo train.tsv)';
    const launcher = [...mpirun(2), 'sh', '-c', script, 'sh'];
    const other = await workspace.start(words('other', 2), { env: MPI_ENVIRONMENT, launcher }).ended;
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(
      /^process 1 \(.+\) has another .* than process 0 \(.+\): .*the file other\.tsv [0-9a-f]{12} instead of .*the file train\.tsv [0-9a-f]{12}/m,
    );
    expect(readdirSync(workspace.folder)).not.toContain('other');
    const twice = await train('two', 1, '--resume', '--set', 'training.per_device_train_batch_size=6');
    expect(twice.stderr).toContain('training.per_device_train_batch_size is 6 (was 12)');
  });

  it('report a missing library', async () => {
    const env = { ...MPI_ENVIRONMENT, ADALORA_MPI_LIBRARY: 'libz.so.1' };
    const { code, stderr } = await workspace.start(words('none', 2), { env, launcher: mpirun(2) }).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(
      'ADALORA_MPI_LIBRARY=libz.so.1 needs the library of Open MPI, whose launcher started',
    );
  });
});

/** Waits for an event in a process's output. */
function printed(child: ChildProcess, is: (event: TrainEvent) => boolean): Promise<void> {
  let text = '';
  return new Promise((seen) => {
    child.stdout?.on('data', (more: string) => {
      text += more;
      if (eventsIn(text.slice(0, text.lastIndexOf('\n') + 1)).some(is)) seen();
    });
  });
}

/** The descendants of a process, by their ids. */
function processesUnder(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === parent)
    .map(Number)
    .sort((a, b) => a - b);
}

function parentOf(pid: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\) \S (\d+)/)?.[1]);
  } catch {
    return 0;
  }
}
