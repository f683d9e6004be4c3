import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AdaLoraConfig, adaLoraConfigSchema } from '../composed/pruned-triplets.ts';
import type { AllocationEvent } from '../method-run.ts';
import { RankAllocator } from './allocator.ts';
import type { PrunedModule } from './pruned-module.ts';

interface Trajectory {
  settings: Partial<AdaLoraConfig> & { target_r: number; tinit: number; tfinal: number; deltaT: number };
  totalStep: number;
  lr: number;
  layout: Record<string, { offset: number; shape: number[] }>;
  initial: number[];
  trace: {
    gradient: number[];
    budget: number;
    lora_E: Record<string, number[]>;
    sensitivity?: number[];
    uncertainty?: number[];
  }[];
}

/** The recorded run with doublets. A comes before B. */
interface Doublets {
  settings: { init_r: number; target_r: number; tinit: number; tfinal: number; deltaT: number };
  totalStep: number;
  lr: number;
  shapes: Record<string, [inFeatures: number, outFeatures: number]>;
  initial: number[];
  trace: { gradient: number[]; budget: number; values: number[] }[];
}

const fixture = JSON.parse(readFileSync('src/methods/tuners/fixtures/oracle.json', 'utf8')) as {
  allocator: Trajectory[];
  doublets: Doublets;
};
const [trajectory] = fixture.allocator;

function modulesOf({ layout }: Trajectory): PrunedModule[] {
  return ['first', 'second'].map((name) => {
    const { offset: lora_A, shape } = layout[`${name}.lora_A`]!;
    const { offset: lora_E } = layout[`${name}.lora_E`]!;
    const { offset: lora_B, shape: shapeB } = layout[`${name}.lora_B`]!;
    const offsets = { A: lora_A, E: lora_E, B: lora_B };
    return { name, rank: shape[0]!, inFeatures: shape[1]!, outFeatures: shapeB[0]!, offsets };
  });
}

function allocatorOf(trajectory: Trajectory, changes: Partial<AdaLoraConfig> = {}): RankAllocator {
  const { settings, totalStep } = trajectory;
  const config = adaLoraConfigSchema.parse({ ...settings, shrink: 'at-export', ...changes });
  const modules = modulesOf(trajectory);
  const target = settings.target_r * modules.length;
  return new RankAllocator(modules, config, { ...settings, totalStep }, { target });
}

/** Takes the steps after the optimizer's, in PEFT's order. */
function afterOptimizer(
  allocator: RankAllocator,
  step: number,
  values: Float32Array,
  gradient: Float32Array,
): AllocationEvent | undefined {
  allocator.observe(step, values, gradient);
  return allocator.allocate(step, values)?.event;
}

function descend(values: Float32Array, { gradient }: { gradient: number[] }, lr: number): Float32Array {
  for (let i = 0; i < values.length; i++) values[i]! -= Math.fround(lr * gradient[i]!);
  return new Float32Array(gradient);
}

function lambdas(values: Float32Array, modules: PrunedModule[]): Record<string, number[]> {
  return Object.fromEntries(
    modules.map(({ name, rank, offsets }) => [
      `${name}.lora_E`,
      [...values.subarray(offsets.E!, offsets.E! + rank)],
    ]),
  );
}

describe('equal to PEFT for given gradients', () => {
  it.each(fixture.allocator)('$settings', (trajectory) => {
    const allocator = allocatorOf(trajectory);
    const values = new Float32Array(trajectory.initial);
    trajectory.trace.forEach((row, i) => {
      const step = i + 1;
      const event = afterOptimizer(allocator, step, values, descend(values, row, trajectory.lr));
      expect(allocator.budgetAt(step)).toBe(row.budget);
      expect(lambdas(values, modulesOf(trajectory))).toEqual(row.lora_E);
      if (event) {
        const ranks = Object.values(row.lora_E).map((module) => module.filter((value) => value !== 0).length);
        expect(event).toMatchObject({
          step,
          budget: row.budget,
          ranks: { first: ranks[0], second: ranks[1] },
        });
      }
      const { sensitivity, uncertainty } = allocator.state();
      row.sensitivity?.forEach((value, j) => expect(sensitivity[j]).toBeCloseTo(value, 6));
      row.uncertainty?.forEach((value, j) => expect(uncertainty[j]).toBeCloseTo(value, 6));
    });
    expect(allocator.done).toBe(true);
  });
});

it('prunes doublets like PyTorch for given gradients', () => {
  const { settings, totalStep, lr, shapes, initial, trace } = fixture.doublets;
  const { init_r: rank, target_r } = settings;
  let start = 0;
  const modules = Object.entries(shapes).map(([name, [inFeatures, outFeatures]]): PrunedModule => {
    const offsets = { A: start, B: start + rank * inFeatures };
    start += rank * (inFeatures + outFeatures);
    return { name, rank, inFeatures, outFeatures, offsets };
  });
  const config = adaLoraConfigSchema.parse({ ...settings, shrink: 'at-export' });
  const target = target_r * modules.length;
  const allocator = new RankAllocator(modules, config, { ...settings, totalStep }, { target });
  const values = new Float32Array(initial);
  trace.forEach((row, i) => {
    afterOptimizer(allocator, i + 1, values, descend(values, row, lr));
    expect(allocator.budgetAt(i + 1)).toBe(row.budget);
    expect([...values]).toEqual(row.values);
  });
  expect(allocator.done).toBe(true);
});

it('resumes exactly', () => {
  for (const pause of [2, 9, 17]) {
    const whole = allocatorOf(trajectory!);
    const values = new Float32Array(trajectory!.initial);
    let second = allocatorOf(trajectory!);
    const halves = new Float32Array(trajectory!.initial);
    trajectory!.trace.forEach((row, i) => {
      const event = afterOptimizer(whole, i + 1, values, descend(values, row, trajectory!.lr));
      if (i + 1 === pause) {
        const state = structuredClone(second.state());
        second = allocatorOf(trajectory!);
        second.restore(state);
      }
      expect(afterOptimizer(second, i + 1, halves, descend(halves, row, trajectory!.lr))).toEqual(event);
      expect(halves).toEqual(values);
    });
    expect(second.state()).toEqual(whole.state());
    expect(second.allocations).toBe(whole.allocations);
  }
});

it('rejects the state of other modules or another score', () => {
  const state = allocatorOf(fixture.allocator[1]!).state();
  expect(() => allocatorOf(trajectory!).restore(state)).toThrow('other modules');
  expect(() =>
    allocatorOf(trajectory!).restore(allocatorOf(trajectory!, { score: 'magnitude' }).state()),
  ).toThrow();
});

it('finalises at the next step when the final one was skipped', () => {
  const allocator = allocatorOf(trajectory!);
  const values = new Float32Array(trajectory!.initial);
  const events = trajectory!.trace.map((row, i) =>
    i + 1 === 15 ? undefined : afterOptimizer(allocator, i + 1, values, descend(values, row, 0.1)),
  );
  expect(events.filter((event) => event?.final)).toMatchObject([{ step: 16, budget: 2 }]);
  expect(allocator.allocations).toBe(events.filter(Boolean).length);
});

it('does not change the values after the end if triplets are removed', () => {
  const allocator = allocatorOf(trajectory!, { shrink: 'at-final' });
  const values = new Float32Array(trajectory!.initial);
  trajectory!.trace.slice(0, 15).forEach((row, i) => {
    afterOptimizer(allocator, i + 1, values, descend(values, row, trajectory!.lr));
  });
  expect(allocator.keep().flatMap((module) => [...module])).toEqual([1, 0, 0, 0, 1, 0]);
  const shorter = new Float32Array(5).fill(1);
  expect(afterOptimizer(allocator, 16, shorter, shorter)).toBeUndefined();
  expect([...shorter]).toEqual([1, 1, 1, 1, 1]);
});

it('keeps every triplet before the first allocation', () => {
  expect(allocatorOf(trajectory!).keep()).toEqual([new Uint8Array([1, 1, 1]), new Uint8Array([1, 1, 1])]);
});

describe('the ablations', () => {
  // One module in the middle of a vector: A [2, 1] at 1, E at 3, B [1, 2] at 5. Elements 0 and 7 belong to a head.
  const modules = [{ name: 'm', rank: 2, inFeatures: 1, outFeatures: 1, offsets: { A: 1, E: 3, B: 5 } }];
  const schedule = { tinit: 0, tfinal: 0, deltaT: 1, totalStep: 2 };
  const values = () => new Float32Array([9, 1, 1, 0.5, -2, 1, 1, 9]);
  const first = new Float32Array([0, 0, 0, 0, 1, 0, 0, 0]);
  const then = new Float32Array([0, 3, 0, 0, 0, 0, 0, 0]);

  it.each<[AdaLoraConfig['score'], number[]]>([
    ['magnitude', [0, 1]],
    ['sensitivity', [1, 0]],
  ])('%s', (score, keep) => {
    const config = adaLoraConfigSchema.parse({ target_r: 1, init_r: 2, score });
    const allocator = new RankAllocator(modules, config, { ...schedule, totalStep: 3 }, { target: 1 });
    const current = values();
    allocator.observe(1, current, first);
    allocator.observe(2, current, then); // Raw sensitivity uses only the last step.
    allocator.allocate(3, current);
    expect([...allocator.keep()[0]!]).toEqual(keep);
    expect([...current]).toEqual(
      [...values()].map((value, i) => ((i === 3 || i === 4) && !keep[i - 3] ? 0 : value)),
    );
  });
});
