import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inLayout } from '../../../../tests/support/recorded-triplets.ts';
import { Updater } from '../../../training/train/updater.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from '../composed/pruned-triplets.ts';
import { adaLoraAlpha, adaLoraScale } from '../low-rank/patterns-and-scales.ts';
import { AllocatedRun, isTold } from './allocated-run.ts';
import type { PromisedBudget } from './promised-budget.ts';
import { type AllocationSchedule, masksAt } from './schedule.ts';

/** A full training run that scripts/oracle/beyond.py recorded. */
interface Training {
  settings: Partial<AdaLoraConfig> & Record<'init_r' | 'target_r' | 'tinit' | 'tfinal' | 'deltaT', number>;
  shapes: Record<string, [inFeatures: number, outFeatures: number]>;
  lr: number;
  totalStep: number;
  /** The scale of the increments. */
  alpha: number;
  initial: number[];
  trace: { gradient: number[]; values?: number[]; keep: number[] }[];
}

const { trainings } = JSON.parse(readFileSync('src/methods/tuners/fixtures/beyond.json', 'utf8')) as {
  trainings: Record<string, Training>;
};

/** Values are recorded with seven digits, and stored here as float32. */
const DIGITS = 5;

function started({ settings, shapes, lr, totalStep }: Training) {
  const config = adaLoraConfigSchema.parse(settings);
  const { init_r: rank, target_r } = settings;
  const scale = adaLoraScale({ init_r: rank, lora_alpha: adaLoraAlpha(config, rank) });
  const modules = Object.entries(shapes).map(([path, [inFeatures, outFeatures]]) => ({
    path,
    inFeatures,
    outFeatures,
    rank,
    scale,
  }));
  const tuner = new AdaLoraTuner(config, modules, []);
  const run = new AllocatedRun({
    method: 'adalora',
    tuner,
    settings: config,
    schedule: { ...settings, totalStep },
    budget: { unit: 'components', target: target_r * modules.length } as PromisedBudget,
    store: () => {
      throw new Error('not asked');
    },
  });
  const values = new Float32Array(tuner.layout.length);
  const updater = new Updater(run, values, {
    learningRate: lr,
    schedule: 'constant',
    warmupSteps: 0,
    totalSteps: totalStep,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 0,
  });
  return { run, updater, modules, layout: tuner.layout };
}

/** Repeats the recorded run. `pause` is a step after which the run is resumed from its saved state. */
function replayed(training: Training, pause?: number) {
  let current = started(training);
  current.updater.values.set(inLayout(current, training.initial));
  const keeps: number[][] = [];
  const values: Float32Array[] = [];
  training.trace.forEach(({ gradient }, i) => {
    current.updater.apply(inLayout(current, gradient));
    keeps.push(Object.values(current.run.ranks()));
    values.push(current.updater.values.slice());
    if (i + 1 !== pause) return;
    const next = started(training);
    next.run.restore(structuredClone(current.run.state()));
    next.updater.restore(
      current.updater.step,
      current.updater.values.slice(),
      structuredClone(current.updater.moments()),
    );
    current = next;
  });
  return { ...current, keeps, values };
}

describe.each(Object.entries(trainings))('a training in PyTorch: %s', (_, training) => {
  const { trace, settings, alpha } = training;
  const whole = replayed(training);

  it('has the same values and kept triplets', () => {
    trace.forEach(({ values, keep }, i) => {
      const ranks = whole.modules.map((_, k) =>
        keep.slice(k * settings.init_r, (k + 1) * settings.init_r).reduce((a, b) => a + b),
      );
      expect({ step: i + 1, ranks: whole.keeps[i] }).toEqual({ step: i + 1, ranks });
      if (!values) return;
      inLayout(whole, values).forEach((value, j) => expect(whole.values[i]![j]).toBeCloseTo(value, DIGITS));
    });
    expect(whole.run.settled).toBe(true);
  });

  it('has the same scale', () => {
    for (const { scale } of whole.modules) expect(scale).toBeCloseTo(alpha, 12);
  });

  it.each([3, 5, 6, 11])('resumes exactly after step %i', (pause) => {
    expect(replayed(training, pause).values).toEqual(whole.values);
  });
});

function told(schedule: AllocationSchedule): { masked: number[]; told: number[] } {
  const steps = Array.from({ length: schedule.totalStep }, (_, i) => i + 1);
  const masked = steps.filter((step) => masksAt(step, schedule));
  return { masked, told: masked.filter((step) => isTold(step, schedule)) };
}

it('the log records every allocation of a short run', () => {
  const run = told({ tinit: 107, tfinal: 428, deltaT: 10, totalStep: 1072 });
  expect(run.masked).toHaveLength(55);
  expect(run.told).toEqual(run.masked);
});

it('the log records the first, the final and evenly spaced ones of a long run', () => {
  const run = told({ tinit: 500, tfinal: 2000, deltaT: 1, totalStep: 10_000 });
  expect(run.masked).toHaveLength(7500);
  expect(run.told.length).toBeLessThanOrEqual(65);
  expect(run.told[0]).toBe(501);
  expect(run.told.at(-1)).toBe(8000);
  const gaps = run.told.slice(1, -1).map((step, i) => step - run.told[i]!);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
});
