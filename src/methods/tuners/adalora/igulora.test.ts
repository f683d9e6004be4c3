import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadCase } from '../../../../scripts/conformance/load-case.ts';
import { feedsOf, withPrefix } from '../../../../scripts/conformance/read-case.ts';
import { inLayout } from '../../../../tests/support/recorded-triplets.ts';
import { readSafetensors } from '../../../../tests/support/safetensors-file.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { Program } from '../../../program/program.ts';
import { Random } from '../../../support/random.ts';
import { RankAllocator } from '../allocation/allocator.ts';
import { BudgetCosts } from '../allocation/promised-budget.ts';
import { prunedModules } from '../allocation/pruned-module.ts';
import { iguLora } from '../composed/pruned-triplets.ts';
import { parseFactor } from '../low-rank/factors.ts';
import { AdaLoraTuner } from './adalora-tuner.ts';

interface Training {
  shapes: Record<string, [inFeatures: number, outFeatures: number]>;
  target: number;
  trace: { gradient: number[]; stepped: number[]; masked?: number[] }[];
}

/** Training runs of the released code (scripts/oracle/igulora.py). Vectors are A, E, B of each module. */
const golden = JSON.parse(readFileSync('src/methods/tuners/fixtures/igulora.json', 'utf8')) as Training & {
  r: number;
  steps: number;
  tinit: number;
  tfinal: number;
  deltaT: number;
  /** A rank of the last matrix, twice as large as the others, costs two. */
  bySize: Training;
};

/**
 * Compares each allocation with the kept triplets of the released code.
 *
 * @param size number of parameters of a rank, for a budget in parameters
 */
function replay(
  { shapes, target, trace }: Training,
  check: (kept: number[], theirs: number[]) => void,
  size?: number,
) {
  const { tinit, tfinal, deltaT, steps: totalStep } = golden;
  const modules = Object.entries(shapes).map(([path, [inFeatures, outFeatures]]) => ({
    path,
    inFeatures,
    outFeatures,
    rank: golden.r,
    scale: 1,
  }));
  const budget = size ? { target: target * size, cost: new BudgetCosts(modules).of.parameters } : { target };
  const tuner = new AdaLoraTuner({ lora_dropout: 0, orth_reg_weight: 0.1 }, modules, []);
  const allocator = new RankAllocator(
    prunedModules(tuner),
    { beta1: 0.85, beta2: 0.8, score: 'sensitivity-over-uncertainty', shrink: 'at-export' },
    { tinit, tfinal, deltaT, totalStep },
    budget,
  );
  let masks = 0;
  trace.forEach(({ gradient, stepped, masked }, i) => {
    const values = inLayout({ layout: tuner.layout, modules }, stepped);
    allocator.observe(i + 1, values, inLayout({ layout: tuner.layout, modules }, gradient));
    const event = allocator.allocate(i + 1, values)?.event;
    // After the final allocation, the released code chooses again from the same averages.
    expect(event !== undefined).toBe(masked !== undefined && i + 1 <= totalStep - tfinal);
    if (masked)
      check(
        allocator.keep().flatMap((module) => [...module]),
        masked,
      );
    masks += Number(event !== undefined);
  });
  expect(masks).toBeGreaterThan(2);
}

it('keeps the triplets that the released code keeps', () => {
  replay(golden, (kept, theirs) => expect(kept).toEqual(theirs));
});

it('counts ranks by their size with a budget in parameters, as the released code does', () => {
  let last: number[] = [];
  replay(
    golden.bySize,
    (kept, theirs) => {
      // The released code stops at the first triplet that does not fit. Here a smaller one may take its place.
      const more = kept.map((one, i) => one - theirs[i]!);
      expect(Math.min(...more)).toBe(0);
      expect(more.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1);
      last = more;
    },
    9,
  );
  expect(Math.max(...last)).toBe(0);
});

it('trains at points of the path from zero: loss and gradient are those of scaled factors', async () => {
  const folder = 'src/methods/tuners/fixtures/eva/bert';
  const batch = withPrefix(readSafetensors(`${folder}/batches.safetensors`), '0.');
  const model = loadCase(`${folder}/base`, 'SEQ_CLS', batch);
  const feeds = feedsOf(model, batch);
  const given = { init_r: 2, target_r: 1, lora_alpha: 4, orth_reg_weight: 0, path_points: 4 };
  const { tuner } = iguLora.start(model, iguLora.config.parse(given), 20);
  const plain = iguLora.start(model, iguLora.config.parse({ ...given, path_points: 1 }), 20).tuner;
  const noise = new Random(5, 'values').normals(tuner.layout.length, 0.3);
  const values = tuner.initialValues(3, model.reader(3)).map((value, i) => value + noise[i]!);
  const [path, straight] = [tuner, plain].map((one) => new Program(nodeEngine(model, 'cpu'), model, one)) as [
    Program,
    Program,
  ];
  const isFactor = new Float32Array(tuner.layout.length);
  for (const { name, start, end } of tuner.layout.segments)
    if (parseFactor(name)) isFactor.fill(1, start, end);
  const seen = new Set<number>();
  for (let step = 0; step < 6; step++) {
    const alpha = (1 + new Random(1, 'fraction', step).integer(4)) / 4;
    seen.add(alpha);
    const scaled = values.map((value, i) => (isFactor[i] ? alpha * value : value));
    const there = await path.differentiate(values, feeds, 1, step);
    const slope = there.gradient.slice();
    const expected = await straight.differentiate(scaled, feeds, 1, step);
    // Both are computed in 32 bits.
    expect(there.loss).toBeCloseTo(expected.loss, 5);
    slope.forEach((value, i) => {
      const chained = isFactor[i] ? alpha * expected.gradient[i]! : expected.gradient[i]!;
      expect(value).toBeCloseTo(chained, 5);
    });
  }
  expect(seen.size).toBeGreaterThan(1);
  // An evaluation is at the end of the path.
  expect(await path.loss(values, feeds)).toBeCloseTo(await straight.loss(values, feeds), 6);
  await path.release();
  await straight.release();
  model.close();
});

it('starts with λ of 0.1, and trains the kept triplets as they are', () => {
  const folder = 'src/methods/tuners/fixtures/eva/bert';
  const batch = withPrefix(readSafetensors(`${folder}/batches.safetensors`), '0.');
  const model = loadCase(`${folder}/base`, 'SEQ_CLS', batch);
  const run = iguLora.start(model, iguLora.config.parse({ init_r: 2, target_r: 1, tinit: 1, tfinal: 5 }), 10);
  let values = run.tuner.initialValues(3, model.reader(3));
  const { name } = run.tuner.layout.segments.filter((one) => parseFactor(one.name)?.factor === 'E')[0]!;
  expect([...run.tuner.layout.read(values, name)]).toEqual([Math.fround(0.1), Math.fround(0.1)]);
  const slope = values.map((_, i) => Math.sin(i));
  for (let step = 1; step <= 5; step++) {
    run.beforeStep?.(step, values, slope);
    const after = run.afterStep!(step, values, slope);
    if (after.relayout) values = new Float32Array(run.tuner.layout.length);
  }
  expect(run.settled).toBe(true);
  expect(run.tuner.constructor).toBe(AdaLoraTuner);
  model.close();
});

it.each([
  [{ path_points: 0 }, 'path_points'],
  [{ shrink: 'at-export' }, 'shrink'],
  [{ use_dora: true }, 'use_dora'],
])('rejects %j', (settings, key) => {
  expect(iguLora.config.safeParse(settings).error?.issues.map(({ path }) => path[0])).toEqual([key]);
});
