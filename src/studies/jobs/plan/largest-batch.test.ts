import { expect, it } from 'vitest';
import { paddedTokens, planEpoch } from '../../../input/text/batches.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { largestBatch } from './plan.ts';

const examples = { lengths: Int32Array.from({ length: 300 }, (_, i) => 4 + ((i * 37) % 101)) };

function sizeOfLargest(training: Record<string, unknown>): number {
  const data = { train: 'unread', text: 0, label: 1 };
  const config = parseRunConfig(
    {
      defaults: 'huggingface',
      model: 'unread',
      output: 'unwritten',
      data,
      training: { per_device_train_batch_size: 4, ...training },
    },
    'test',
  );
  return paddedTokens(largestBatch(config, examples), examples.lengths);
}

it('is one that a run of a few steps reaches', () => {
  const batches = planEpoch({ ...examples, batchSize: 4, seed: 0, epoch: 0, groupByLength: true });
  const sizes = batches.map((batch) => paddedTokens(batch, examples.lengths));
  for (const [max_steps, gradient_accumulation_steps] of [
    [1, 1],
    [2, 3],
    [20, 1],
  ]) {
    const met = Math.max(...sizes.slice(0, max_steps! * gradient_accumulation_steps!));
    expect(sizeOfLargest({ max_steps, gradient_accumulation_steps })).toBe(met);
  }
  expect(sizeOfLargest({ max_steps: 1 })).toBeLessThan(Math.max(...sizes));
  expect(sizeOfLargest({ num_train_epochs: 1 })).toBe(Math.max(...sizes));
});

it('is one of any epoch if the run is longer than one', () => {
  expect(sizeOfLargest({ max_steps: 1000, num_train_epochs: 1 })).toBe(
    sizeOfLargest({ num_train_epochs: 5 }),
  );
});
