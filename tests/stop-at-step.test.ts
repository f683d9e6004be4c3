import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { newWorkspace, set } from './support/commands.ts';
import { eventsOf } from './support/workspace.ts';

/* Ending a run of 24 steps early, on the schedule of the whole run. */

const workspace = newWorkspace();

const SETTINGS = [
  'training.max_steps=24',
  'training.eval_strategy=no',
  'adalora.tfinal=8',
  'adalora.tinit=4',
];
const train = (output: string, ...more: string[]) =>
  workspace.train(...SETTINGS, `output=${output}`, ...more);
const resume = (output: string, ...more: string[]) =>
  workspace.run(...['train', 'run.yaml', '--resume'], ...set([...SETTINGS, `output=${output}`, ...more]));
const adapter = (run: string) => workspace.read(run, 'adapter', 'adapter_model.safetensors');

it('a run stops at a step, says so and writes its adapter; resumed, it equals the whole run', {
  timeout: 240_000,
}, async () => {
  expect(await train('whole')).toMatchObject({ code: 0 });
  // After a third, before AdaLoRA has fixed its ranks.
  const { code, stdout } = await train('part', 'training.stop_at_step=33%', 'training.eval_strategy=epoch');
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('stopped by stop_at_step at step 8'),
  });
  const events = workspace.events('part');
  expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop_at_step', step: 8, total_steps: 24 });
  expect(eventsOf(events, 'evaluation').at(-1)).toMatchObject({ step: 8 });
  const rate = (run: string) =>
    eventsOf(workspace.events(run), 'step').find(({ step }) => step === 8)?.learning_rate;
  expect(rate('part')).toBe(rate('whole'));

  expect(await resume('part', 'training.stop_at_step=4')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('training.stop_at_step must be 8 or later'),
  });
  expect(await resume('part', 'training.stop_at_step=8')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('is already finished'),
  });
  expect(await resume('part')).toMatchObject({ code: 0 });
  expect(adapter('part').equals(adapter('whole'))).toBe(true);
  expect(parse(workspace.read('part', 'config.yaml').toString()).training.stop_at_step).toBeUndefined();
});

it('a run resumed with fewer steps gets advice', {
  timeout: 120_000,
}, async () => {
  expect(await train('long', 'training.stop_at_step=8')).toMatchObject({ code: 0 });
  const { code, stderr } = await resume('long', 'training.max_steps=16');
  expect(code).toBe(2);
  expect(stderr).toBe(
    '`training.max_steps or num_train_epochs` gives 16 steps, fewer than the 24 that this run was planned for. Resume with the original length. To stop at this step on the same schedule, set training.stop_at_step: 16.\n',
  );
});

it('a run on slices of a file resumes, and refuses rows that have changed', {
  timeout: 240_000,
}, async () => {
  const table = (name: string, split: string) =>
    workspace
      .read(name)
      .toString()
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => `${line}\t${split}\n`)
      .join('');
  const [header] = workspace.read('train.tsv').toString().split('\n', 1);
  const rows = `${header}\tsplit\n${table('train.tsv', 'train')}${table('dev.tsv', 'validation')}`;
  workspace.write('sliced.tsv', rows);
  const data = ['train', 'validation'].map((split) => `data.${split}=sliced.tsv#split=${split}`);
  expect(await train('sliced-whole', ...data)).toMatchObject({ code: 0 });
  expect(await train('sliced', ...data, 'training.stop_at_step=8')).toMatchObject({ code: 0 });
  const [, first = ''] = rows.split('\n', 2);
  workspace.write('sliced.tsv', rows.replace(first, first.replace(/^\S+/, 'other')));
  expect(await resume('sliced', ...data)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('other content in the data files'),
  });
  workspace.write('sliced.tsv', rows);
  expect(await resume('sliced', ...data)).toMatchObject({ code: 0 });
  expect(adapter('sliced').equals(adapter('sliced-whole'))).toBe(true);
});
