import { beforeAll, expect, it } from 'vitest';
import { newWorkspace, succeeds } from './support/commands.ts';
import { writeSmallGenerator } from './support/small-generator.ts';
import { eventsOf } from './support/workspace.ts';

/** A supervised run of a small chat model, and a run with preferences that starts from it. */
const space = newWorkspace();
beforeAll(async () => {
  writeSmallGenerator(space.path('chat'), 'llama');
  const user = (content: string) => ({ role: 'user', content });
  const bot = (content: string) => ({ role: 'assistant', content });
  const lines = (rows: object[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
  const numbers = Array.from({ length: 24 }, (_, i) => i);
  space.write('chats.jsonl', lines(numbers.map((i) => ({ messages: [user(`Q${i}`), bot('the cat')] }))));
  const pair = (i: number) => ({
    prompt: [user(`Q${i}`)],
    chosen: [bot(i % 2 === 0 ? 'the cat' : 'cat the')],
    rejected: [bot('a dog')],
  });
  space.write('pairs.jsonl', lines(numbers.map(pair)));
  space.write('held.jsonl', lines(numbers.map((i) => pair(i + 24))));
  const data = '{train: pairs.jsonl, validation: held.jsonl, max_length: 64}';
  space.write(
    'preference.yaml',
    `model: chat
adapter: supervised
data: ${data}
task: preference
defaults: huggingface
training: {learning_rate: 2e-2, num_train_epochs: 4, per_device_train_batch_size: 6, logging_steps: 1, lr_scheduler_type: constant}
adalora: {tinit: 2, tfinal: 6, deltaT: 2, lora_dropout: 0.5, target_r: 2, init_r: 4}
output: preferred
`,
  );
  await succeeds(
    space.run(
      'train',
      'chats.jsonl',
      ...['--model', 'chat', '--output', 'supervised', '--set', 'training.max_steps=4'],
      ...['--set', 'data.max_length=64', '--set', 'adalora.init_r=4', '--set', 'adalora.target_r=2'],
    ),
  );
  await succeeds(space.run('train', 'preference.yaml'));
});

it('begins as the supervised model, and prefers the chosen answers', () => {
  const events = space.events('preferred');
  const steps = eventsOf(events, 'step');
  // Neither the adapter of the supervised run nor its dropout moves the model from its reference.
  expect(steps[0]!.loss).toBeCloseTo(Math.LN2, 5);
  expect(steps.at(-1)!.loss).toBeLessThan(0.5);
  expect(steps.every(({ regularizer }) => regularizer! > 0)).toBe(true);
  const { metrics, verdict } = eventsOf(events, 'finish')[0]!;
  expect(metrics.eval_accuracy).toBe(1);
  expect(metrics.eval_reward_accuracy).toBeGreaterThan(0.9);
  expect(metrics.eval_reward_margin).toBeGreaterThan(0.5);
  expect(metrics.eval_kl).toBeGreaterThan(0);
  expect(verdict!.interval![0]).toBeGreaterThan(0.8);
  expect(verdict!.to_beat.map(({ name }) => name)).toEqual(['the model before training']);
});

it('allocates its budget, and keeps its reference, which belongs to the run', async () => {
  const alone = (output: string) => ['--set', 'adapter=null', '--set', `output=${output}`];
  await succeeds(space.run('train', 'preference.yaml', ...alone('whole')));
  const events = space.events('whole');
  expect(eventsOf(events, 'step')[0]!.loss).toBeCloseTo(Math.LN2, 5);
  expect(eventsOf(events, 'allocation').length).toBeGreaterThan(1);
  const { ranks } = eventsOf(events, 'finish')[0]!;
  expect(Object.values(ranks!).reduce((a, b) => a + b)).toBe(2 * 4);
  const settings = alone('stopped');
  await succeeds(space.run('train', 'preference.yaml', ...settings, '--set', 'training.stop_at_step=5'));
  const kept = space.read('stopped/checkpoints/prepared-train.safetensors');
  await succeeds(space.run('train', 'preference.yaml', ...settings, '--resume'));
  expect(space.read('stopped/checkpoints/prepared-train.safetensors')).toEqual(kept);
  const weights = 'adapter/adapter_model.safetensors';
  expect(space.read('stopped', weights)).toEqual(space.read('whole', weights));
  const other = await space.run('train', 'preference.yaml', '--resume', '--set', 'data.beta=0.2');
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('data.beta is 0.2 (was 0.1)') });
});

it('is used as other chat models are, with its adapter or merged', async () => {
  const answer = (folder: string, ...flags: string[]) => {
    const args = ['--prompt', 'Q7', '--max-new-tokens', '6', ...flags];
    return succeeds(space.run('generate', folder, ...args));
  };
  await succeeds(space.run('export', 'preferred', '--as', 'merged', '-o', 'merged'));
  expect(await answer('preferred')).toBe(await answer('merged', '--chat'));
  const adapter = JSON.parse(String(space.read('preferred/adapter/adapter_config.json')));
  expect(adapter).toMatchObject({ task_type: 'CAUSAL_LM', peft_type: 'ADALORA' });
  const scored = await succeeds(space.run('eval', 'preferred', 'held.jsonl', '--json'));
  expect(JSON.parse(scored)).toMatchObject({ eval_accuracy: 1 });
});

it('is guessed from the columns', async () => {
  const stdout = await succeeds(space.run('plan', 'pairs.jsonl', '--model', 'chat'));
  expect(stdout).toContain('task: preference  # rows have "chosen" and "rejected"');
});
