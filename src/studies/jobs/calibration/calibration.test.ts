import { describe, expect, it } from 'vitest';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { trainerSettings } from '../../../training/train/trainer-settings.ts';
import { plannedSteps, spread, timed } from './calibrate.ts';

describe('spread', () => {
  it.each([0, 1, 2, 7, 64, 100])('has every number below %i once', (count) => {
    expect(spread(count).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('halves, and halves again', () => {
    expect(spread(16).slice(0, 7)).toEqual([8, 4, 12, 2, 10, 6, 14]);
  });
});

describe('timed', () => {
  it('stops at the count or the time, and not before the first item', async () => {
    const taken = async (seconds: number, count: number) => {
      const shares: number[] = [];
      const seen: string[] = [];
      const act = async (item: string) => {
        seen.push(item);
      };
      const done = await timed(['a', 'b', 'c'], { seconds, count }, act, (share) => shares.push(share));
      expect(done.map(({ item }) => item)).toEqual(seen);
      expect(shares).toHaveLength(seen.length);
      expect(shares.at(-1)).toBe(1);
      return seen;
    };
    expect(await taken(1e6, 2)).toEqual(['a', 'b']);
    expect(await taken(1e6, 9)).toEqual(['a', 'b', 'c']);
    expect(await taken(0, 9)).toEqual(['a']);
  });
});

describe('the planned steps', () => {
  const lengths = Int32Array.from({ length: 90 }, (_, i) => 3 + (i % 17));
  const settings = (training: object) =>
    trainerSettings(
      parseRunConfig(
        {
          defaults: 'huggingface',
          output: 'unwritten',
          data: { train: 'unread', text: 0, label: 1 },
          training,
        },
        'test',
      ),
      lengths.length,
    );

  it('are those of the first epoch, with all of its examples and tokens', () => {
    const steps = plannedSteps(
      { lengths },
      settings({ per_device_train_batch_size: 4, gradient_accumulation_steps: 2, num_train_epochs: 3 }),
    );
    expect(steps.map(({ step }) => step).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, i) => i),
    );
    expect(steps.reduce((sum, { examples }) => sum + examples, 0)).toBe(90);
    expect(steps.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(lengths.reduce((a, b) => a + b));
  });

  it('are no more than those of the run', () => {
    const steps = plannedSteps({ lengths }, settings({ per_device_train_batch_size: 4, max_steps: 5 }));
    expect(steps.map(({ step }) => step).sort()).toEqual([0, 1, 2, 3, 4]);
  });
});
