import { describe, expect, it } from 'vitest';
import { wilson } from '../metrics/score-interval.ts';
import type { Scores } from '../program/example-set.ts';
import type { Program } from '../program/program.ts';
import type { Validation } from '../program/validation.ts';
import { ParameterLayout } from '../tuners/parameter-layout.ts';
import { constantAnswer } from './constant-answer.ts';
import { Evaluations } from './evaluations.ts';
import type { TrainerSettings } from './trainer-settings.ts';

const ROWS = 40;
const CONSTANT = Float32Array.of(0);

/** Runs an evaluation with these scores, and compares it with a constant model of accuracy 0.7 and loss 0.6. */
async function after(eval_accuracy: number, eval_loss: number) {
  const validation = {
    parts: [],
    count: ROWS,
    async run(_, values, watch) {
      const accuracy = values === CONSTANT ? 0.7 : eval_accuracy;
      watch?.onCertainty?.({
        groups: Int32Array.from({ length: ROWS }, (_, i) => i),
        interval: () => wilson(accuracy, ROWS),
      });
      const loss = values === CONSTANT ? 0.6 : eval_loss;
      return { eval_accuracy: accuracy, eval_loss: loss } as Scores;
    },
  } satisfies Validation;
  const settings = { metricForBest: 'accuracy', greaterIsBetter: true, stepsPerEpoch: 1 } as TrainerSettings;
  const evaluations = new Evaluations(validation, settings, () => {});
  const program = {} as Program;
  await evaluations.run(1, program, Float32Array.of(1), true);
  return { falls: await evaluations.considerConstant(2, program, CONSTANT), best: evaluations.best };
}

describe('a model with the same prediction for every text', () => {
  it.each([
    ['a worse score and a higher loss', 0.65, 0.9, true],
    // The standard error with 40 rows is 0.07.
    ['a score that is better by less than a standard error', 0.75, 0.9, true],
    ['a score that is better by more', 0.8, 0.9, false],
    ['a lower loss', 0.65, 0.55, false],
    ['a score that is not a number', Number.NaN, 0.9, false],
  ])('compared with %s', async (_, accuracy, loss, falls) => {
    expect((await after(accuracy, loss)).falls).toBe(falls);
  });

  it('is the best one if necessary, with its own scores', async () => {
    const { best } = await after(0.65, 0.9);
    expect(best.values).toBe(CONSTANT);
    expect(best.state).toMatchObject({
      step: 2,
      score: 0.7,
      metrics: { eval_accuracy: 0.7, eval_loss: 0.6 },
    });
  });

  it('has a head without weights, and needs biases and no adapter there', () => {
    const linears = ['dense', 'classifier'].map((path) => ({ path, inFeatures: 2, outFeatures: 2 }));
    const bias = { name: 'classifier.bias', shape: [2] };
    const weight = { name: 'classifier.weight', shape: [2, 2] };
    const layout = new ParameterLayout([{ name: 'a', shape: [1] }, weight, bias]);
    const values = Float32Array.of(9, 1, 2, 3, 4, 5, 6);
    const of = (layout: ParameterLayout, sites: string[] = []) =>
      constantAnswer(
        { linears },
        { layout, sites: sites.map((path) => ({ path, parameters: 1 })) },
        values,
        [-1, -2],
      );
    expect(of(layout)).toEqual(Float32Array.of(9, 0, 0, 0, 0, -1, -2));
    expect(of(new ParameterLayout([weight]))).toBeUndefined();
    expect(of(layout, ['classifier'])).toBeUndefined();
  });
});
