import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type OnStepEnd, type TrainEvent, train } from '../src/index.ts';
import { newWorkspace } from './support/commands.ts';
import { trainHere } from './support/train-here.ts';
import { eventsOf } from './support/workspace.ts';

const workspace = newWorkspace();

const config = (output: string, training: object = {}, data: object = {}) => ({
  model: workspace.path('model'),
  defaults: 'huggingface' as const,
  data: { train: workspace.path('train.tsv'), text: 'sentence', label: 'label', max_length: 32, ...data },
  training: { max_steps: 8, logging_steps: 1, save_steps: 3, learning_rate: 2e-2, ...training },
  lora: { r: 2 },
  output: workspace.path(output),
});
const adapter = (run: string) =>
  readFileSync(workspace.path(run, 'adapter', 'adapter_model.safetensors')).toString('base64');

describe('onStepEnd', () => {
  it('ends a run, evaluates and changes the learning rate', async () => {
    const events: TrainEvent[] = [];
    const { reason, step } = await train(
      config('acted', { eval_strategy: 'epoch', lr_scheduler_type: 'constant' }, { validation: '20%' }),
      {
        onEvent: (event) => events.push(event),
        onStepEnd: ({ step, metrics }) => {
          if (step === 2) return { should_evaluate: true };
          if (step === 3) return { learning_rate: metrics.eval_loss! > 0 ? 1e-3 : 1 };
          if (step === 5) return { should_training_stop: true };
        },
      },
    );
    expect({ reason, step }).toEqual({ reason: 'stop_at_step', step: 5 });
    const rates = eventsOf(events, 'step').map(({ learning_rate }) => learning_rate);
    expect(rates).toEqual([2e-2, 2e-2, 2e-2, 1e-3, 1e-3]);
    expect(eventsOf(events, 'evaluation').map(({ step }) => step)).toEqual(expect.arrayContaining([2, 5]));
  });
});

/* The answer above came from another thread. */
describe('onStepEnd', () => {
  beforeAll(() => trainHere());

  it('keeps its rate in a checkpoint: a resumed run equals the whole run', async () => {
    const halves: OnStepEnd = async ({ step, learning_rate }) =>
      step === 2 ? { learning_rate: learning_rate / 2 } : undefined;
    await train(config('plain'));
    await train(config('whole'), { onStepEnd: halves });
    const controller = new AbortController();
    const { reason } = await train(config('parts'), {
      onStepEnd: halves,
      onEvent: ({ type, step }) => type === 'step' && step === 4 && controller.abort(),
      signal: controller.signal,
    });
    expect(reason).toBe('stopped');
    await train(config('parts'), { onStepEnd: halves, resume: true });
    expect(adapter('parts')).toBe(adapter('whole'));
    expect(adapter('whole')).not.toBe(adapter('plain'));
  });

  it('rejects an answer or a request that a run cannot follow', async () => {
    const run = (output: string, onStepEnd: unknown) =>
      train(config(output), { onStepEnd: onStepEnd as OnStepEnd });
    await expect(run('rate', () => ({ learning_rate: -1 }))).rejects.toThrow(
      'The answer of onStepEnd is invalid at learning_rate',
    );
    await expect(run('key', () => ({ stop: true }))).rejects.toThrow('onStepEnd');
    await expect(run('unseen', () => ({ should_evaluate: true }))).rejects.toThrow(
      'the config has no data.validation',
    );
    const failing = () => {
      throw new Error('mine');
    };
    await expect(run('failed', failing)).rejects.toThrow('mine');
  });
});
