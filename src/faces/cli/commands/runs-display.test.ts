import { expect, it } from 'vitest';
import { evaluationEvent, type TrainEvent } from '../../../training/run/events.ts';
import { runsDisplay } from './compare.ts';

const START: TrainEvent = {
  type: 'start',
  step: 0,
  total_steps: 10,
  num_train_epochs: 2,
  train_examples: 10,
  eval_examples: 5,
  truncated: 0,
  trainable_parameters: 9,
  adapter_parameters: 6,
  ranks: {},
  method: 'lora',
  device: 'cpu',
  startup_ms: 900,
  averages: { f1: 'macro' },
};

it('shows evaluations and the end of each run, with the averages of scores', () => {
  const run = { name: 'r=2', config: { output: 'runs' } };
  const events: TrainEvent[] = [
    START,
    { type: 'notice', step: 0, message: 'not told' },
    evaluationEvent(
      5,
      1,
      { eval_loss: 0.5, eval_f1: 0.25, eval_runtime: 2, eval_samples_per_second: 5 },
      false,
    ),
    { type: 'checkpoint', step: 5, path: 'not told' },
  ];
  let text = '';
  const display = runsDisplay({ write: (part) => (text += part) }, [run.name]);
  for (const event of events) display.onEvent(run, event);
  expect(text).toBe('[1/1] r=2\nevaluation at step 5, epoch 1: loss 0.5000, f1 (macro) 0.2500\n');
});
