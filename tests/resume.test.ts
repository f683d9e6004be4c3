import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryName } from '../src/input/store/node/temporary-name.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { newWorkspace, succeeds } from './support/commands.ts';
import { comparableLog } from './support/comparable-log.ts';
import type { Halt, Moment } from './support/workspace.ts';

const FULL = pathToFileURL('tests/support/full-at.mjs').href;
const PRELOAD = pathToFileURL('tests/support/die-at.mjs').href;

/** For tests that start the program a dozen times: two minutes are hardly enough on a busy machine. */
const MANY_STARTS = { timeout: 400_000 };

const workspace = newWorkspace();
beforeAll(async () => {
  const settings = ['lora_dropout=0.1', 'tinit=5', 'tfinal=20', 'deltaT=5'].map(
    (setting) => `adalora.${setting}`,
  );
  const training = [
    'per_device_train_batch_size=8',
    'gradient_accumulation_steps=2',
    'num_train_epochs=5',
    'save_steps=7',
    'logging_steps=3',
    'load_best_model_at_end=true',
  ].map((setting) => `training.${setting}`);
  common = [...settings, ...training].flatMap((setting) => ['--set', setting]);
  await succeeds(workspace.run(...train('whole')));
});

let common: string[];
const train = (output: string, ...more: string[]) => [
  ...['train', 'run.yaml', ...common, '--set', `output=${output}`],
  ...more,
];

/** In separate processes, as for users, with huge pages and the engine's default number of threads. */
const asUsers = { ADALORA_THREADS: '', GLIBC_TUNABLES: '' };

const filesOf = (output: string) =>
  readdirSync(workspace.path(output), { recursive: true, encoding: 'utf8' }).sort();

function expectSameAsWhole(output: string, without: readonly TrainEvent['type'][] = [], whole = 'whole') {
  expect(comparableLog(workspace, output, without)).toEqual(comparableLog(workspace, whole, without));
  for (const file of ['adapter/adapter_model.safetensors', 'adapter/adapter_config.json', 'README.md']) {
    const [mine, theirs] = [workspace.read(output, file), workspace.read(whole, file)];
    expect({ file, same: mine.equals(theirs) }).toEqual({ file, same: true });
  }
  const temporary = filesOf(output).filter((name) => name.endsWith('.tmp'));
  expect(temporary).toEqual([]);
}

function changedLast(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1]! ^= 1;
  return changed;
}

/** A process that is killed before the file operation with that number. */
function dyingAt(operation: number, args: readonly string[]) {
  const env = { ...asUsers, NODE_OPTIONS: `--import ${PRELOAD}`, DIE_AT: String(operation) };
  return workspace.start(args, { env }).ended;
}

it('a full disk ends a run with a message, and the run can be resumed', MANY_STARTS, async () => {
  for (const operation of [3, 12, 30]) {
    const env = { NODE_OPTIONS: `--import ${FULL}`, FULL_AT: String(operation) };
    const { code, stderr } = await workspace.start(train('full', '--resume'), { env }).ended;
    expect({ operation, code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^\S.* (failed: ENOSPC|is not writable \(ENOSPC\))/m),
    });
  }
  await succeeds(workspace.run(...train('full', '--resume')));
  expectSameAsWhole('full');
});

it('a run killed three times by SIGKILL can be resumed', MANY_STARTS, async () => {
  const run = (output: string) => workspace.start(train(output, '--resume'), { env: asUsers }).ended;
  await succeeds(run('whole-threads'));
  const moment = { type: 'checkpoint', step: 50, signal: 'SIGKILL' } as const;
  const deaths = [
    () => dyingAt(15, train('killed', '--resume')),
    () => workspace.start(train('killed', '--resume'), { env: asUsers, halts: [moment] }).ended,
    () => dyingAt(13, train('killed', '--resume')),
  ];
  for (const death of deaths) expect(await death()).toMatchObject({ signal: 'SIGKILL' });
  await succeeds(run('killed'));
  expectSameAsWhole('killed', [], 'whole-threads');
});

describe('a killed run, resumed, equals an uninterrupted one', MANY_STARTS, () => {
  it('at writes of its start and its middle', async () => {
    for (const operation of [2, 5, 8, 11, 15, 18, 21, 24, 27, 33, 40])
      await workspace.killAt(operation, train('writes', '--resume'));
    await succeeds(workspace.run(...train('writes', '--resume')));
    expectSameAsWhole('writes');
  });

  it('at writes of its end', async () => {
    await workspace.killAt({ type: 'checkpoint', step: 50 }, train('end'));
    expect(filesOf('end')).not.toContain('adapter');
    for (const operation of [7, 10, 13, 15, 18, 20, 23])
      await workspace.killAt(operation, train('end', '--resume'));
    await succeeds(workspace.run(...train('end', '--resume')));
    expectSameAsWhole('end');
  });

  // With its line in the log, and before the next one: after a step, that may be an evaluation.
  const moments: Moment[] = [
    { type: 'step', step: 12 },
    { type: 'step', step: 20 }, // an evaluation
    { type: 'allocation', step: 21 },
    { type: 'checkpoint', step: 26 },
    { type: 'allocation', final: true },
    { type: 'step', step: 36 },
    { type: 'step', step: 50 }, // the last evaluation
  ];

  it('at moments between', async () => {
    for (const moment of moments) await workspace.killAt(moment, train('moments', '--resume'));
    await succeeds(workspace.run(...train('moments', '--resume')));
    expectSameAsWhole('moments');
  });
});

it('a killed run of full fine-tuning resumes to the same model', async () => {
  const every = (output: string) =>
    train(output, '--resume', '--set', 'method=full', '--set', 'training.learning_rate=1e-3');
  await workspace.killAt({ type: 'checkpoint', step: 21 }, every('full-killed'));
  for (const output of ['full-killed', 'full-whole']) {
    await succeeds(workspace.run(...every(output)));
  }
  const model = (output: string) => workspace.read(output, 'model', 'model.safetensors');
  expect(model('full-killed').equals(model('full-whole'))).toBe(true);
});

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('a run stopped by %s', (signal) => {
  it('writes a checkpoint, and prints the command that continues it', async () => {
    const stopped = await workspace.interruptAt({ type: 'step', step: 24 }, signal, train(signal));
    expect(stopped).toMatchObject({ code: 130, signal: null });
    const finish = workspace.events(signal).at(-1)!;
    expect(finish).toMatchObject({ type: 'finish', step: 24, reason: 'stopped' });
    expect(filesOf(signal)).toContain(`checkpoints/checkpoint-${finish.step}.safetensors`);
    expect(filesOf(signal)).not.toContain('adapter');
    const [first, command] = stopped.stderr.trim().split('\n') as [string, string];
    expect(first).toBe('Finishing the step and writing a checkpoint. Press again to quit at once.');
    expect(command).toBe(`To continue: adalora ${train(signal, '--resume').join(' ')}`);

    const words = command.replace('To continue: adalora ', '').split(' ');
    const resumed = await workspace.run(...words);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toContain(`continues after step ${finish.step}`);
    expectSameAsWhole(signal, ['checkpoint']);
  });
});

it('handles a closed standard output like a signal', async () => {
  // Printing without a reader causes the stop.
  const halts: Halt[] = [
    { type: 'step', step: 3, until: 'unread' },
    { type: 'step', step: 6 },
  ];
  const { process: child, ended } = workspace.start(train('closed', '--json'), { halts });
  child.stdout!.once('data', () => {
    child.stdout!.destroy();
    workspace.write('unread', '');
  });
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toContain('To continue: adalora train run.yaml');
  expect(workspace.events('closed').at(-1)).toMatchObject({ type: 'finish', reason: 'stopped' });
  await succeeds(workspace.run(...train('closed', '--resume')));
  expectSameAsWhole('closed', ['checkpoint']);
});

it('quits at once at the second Ctrl-C', async () => {
  // A step that never ends.
  const halts: Halt[] = [{ type: 'step', step: 3, signal: 'SIGINT', until: 'never' }];
  const { process: child, ended } = workspace.start(train('twice'), { halts });
  child.stderr!.on('data', (text) => {
    if (String(text).startsWith('Finishing')) child.kill('SIGINT');
  });
  const { code, signal, stderr } = await ended;
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' });
  expect(stderr).not.toContain('To continue');
  expect(workspace.events('twice').at(-1)!.type).not.toBe('finish');
});

it('a folder that a run writes to is locked for other runs', async () => {
  const slow = ['--set', 'training.num_train_epochs=10000', '--json'];
  const { process: child, ended } = workspace.start(train('held', ...slow));
  await new Promise<void>((begun) => {
    child.stdout!.on('data', (text) => String(text).includes('"type":"step"') && begun());
  });
  const { code, stderr } = await workspace.run(...train('held', ...slow, '--resume'));
  child.kill('SIGKILL');
  await ended;
  expect(code).toBe(2);
  expect(stderr).toContain(`is in use by process ${child.pid} on`);
  // Its leftovers are taken over.
  const again = ['--set', 'training.num_train_epochs=1', '--set', 'method=lora'];
  expect((await workspace.run(...train('held', ...again, '--resume'))).stderr).not.toContain('no other run');
});

describe('--resume', () => {
  it('with a finished run says so and changes nothing', async () => {
    const before = workspace.read('whole', 'metrics.jsonl');
    const { code, stdout, stderr } = await workspace.run(...train('whole', '--resume'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('note: whole is already finished.\n');
    expect(stdout).toContain('The run is in whole\n');
    expect(workspace.read('whole', 'metrics.jsonl')).toEqual(before);
  });

  it('without a run starts it', async () => {
    const short = ['--set', 'training.max_steps=12', '--set', 'adalora={target_r: 2, init_r: 4}'];
    await succeeds(workspace.run(...train('new', ...short, '--resume')));
  });

  it.each<[string, string[], string]>([
    [
      'with other settings',
      ['--set', 'training.learning_rate=0.5', '--set', 'adalora.target_modules=[query]'],
      'output: whole holds a run with other settings: ' +
        'training.learning_rate is 0.5 (was 0.02), adalora.target_modules is ["query"] (was not set). ' +
        'Resume with its own config.yaml, or choose another output folder.\n',
    ],
    [
      'with other data',
      ['--set', 'data.train=dev.tsv'],
      'output: whole holds a run with ' +
        'other content in the data files or the model files (weights, config.json and those for its inputs). ' +
        'Resume with its own config.yaml, or choose another output folder.\n',
    ],
    [
      'in a folder of something else',
      ['--set', 'output=model'],
      'output: model has other files but no config.yaml of a run. ' + 'Choose another folder as output.\n',
    ],
  ])('%s is rejected', async (_, settings, message) => {
    const before = workspace.read('whole', 'metrics.jsonl');
    const { code, stderr } = await workspace.run(...train('whole', ...settings, '--resume'));
    expect({ code, stderr }).toEqual({ code: 2, stderr: message });
    expect(workspace.read('whole', 'metrics.jsonl')).toEqual(before);
  });

  it.each([
    ['weights', 'model.safetensors', changedLast],
    ['tokenizer', 'tokenizer.json', (text: Buffer) => Buffer.from(String(text).replace('"cat"', '"act"'))],
    ['config', 'config.json', (text: Buffer) => Buffer.from(String(text).replace('0.1', '0.2'))],
  ])('with other %s of the same size under the same name is rejected', async (_, name, change) => {
    const before = workspace.read('model', name);
    workspace.write(join('model', name), change(before));
    const { code, stderr } = await workspace.run(...train('whole', '--resume'));
    workspace.write(join('model', name), before);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'other content in the data files or the model files (weights, config.json and those for its inputs)',
    );
  });

  it('continues from files that a killed process left incomplete', async () => {
    mkdirSync(workspace.path('torn', 'checkpoints'), { recursive: true });
    writeFileSync(workspace.path('torn', 'config.yaml'), 'mod');
    for (const file of ['config.yaml', 'checkpoints/checkpoint-7.safetensors']) {
      const left = temporaryName(workspace.path('torn', file)).replace(`-${process.pid}-`, '-999999999-');
      writeFileSync(left, 'mod');
    }
    writeFileSync(workspace.path('torn', 'metrics.jsonl'), '{"type":"start","step":0}\n{"type":"st');
    await succeeds(workspace.run(...train('torn', '--resume')));
    expectSameAsWhole('torn');

    appendFileSync(workspace.path('torn', 'metrics.jsonl'), '{"type":"st');
    await succeeds(workspace.run(...train('torn', '--resume')));
  });
});
