import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FlexLoraPolicy, flexLoraConfigSchema, spectralEntropy } from '../../examples/methods/flexlora.mjs';
import { AdaLoraTuner } from '../../src/methods/tuners/adalora/adalora-tuner.ts';
import {
  chooseMoves,
  ElaLoraPolicy,
  elaLoraConfigSchema,
} from '../../src/methods/tuners/elalora/definition.ts';
import { type Draw, ElasticRun, movedRanks, seeded } from '../../src/methods/tuners/elastic/elastic-run.ts';
import { gatherValues } from '../../src/support/numbers.ts';
import { inLayout } from '../support/recorded-triplets.ts';

/** Training runs of the released code (scripts/oracle/elastic.py). Vectors are A, E, B of each module. */
const golden = JSON.parse(readFileSync('src/methods/tuners/fixtures/elastic.json', 'utf8')) as {
  r: number;
  shapes: Record<string, [inFeatures: number, outFeatures: number]>;
  steps: number;
  cases: Record<
    string,
    {
      initial: number[];
      trace: {
        gradient?: number[];
        stepped?: number[];
        moved?: number[];
        drawn: number[];
        ranks: number[];
      }[];
    }
  >;
};

const schedule = { tinit: 3, tfinal: 6, deltaT: 4, totalStep: golden.steps };
const modules = Object.entries(golden.shapes).map(([path, [inFeatures, outFeatures]]) => ({
  path,
  inFeatures,
  outFeatures,
  rank: golden.r,
  scale: 1,
}));
const settings = { lora_dropout: 0, orth_reg_weight: 0.1 } as const;

function startRun(name: string, draw: Draw): ElasticRun {
  const [method, moved, falls] = name.split(', ') as [string, string, string];
  const movement = { b: Number(moved.slice(2)), schedule: falls ? 'cubic' : 'constant' } as const;
  const tuner = new AdaLoraTuner(settings, modules, []);
  const policy =
    method === 'elalora'
      ? new ElaLoraPolicy(tuner.layout.length, elaLoraConfigSchema.parse({ beta2: 0.8 }), draw)
      : new FlexLoraPolicy({ removal: 'signed' }, draw);
  const store = () => {
    throw new Error('not asked');
  };
  return new ElasticRun({ tuner, schedule, movement, policy, store });
}

describe.each(Object.entries(golden.cases))('%s', (name, { initial, trace }) => {
  it('moves the same triplets as the released code, and resumes anywhere', () => {
    let drawn: number[] = [];
    const draw: Draw = (_what, _step, length) => {
      expect(drawn.length).toBeGreaterThanOrEqual(length);
      return drawn.splice(0, length);
    };
    let run = startRun(name, draw);
    let values = inLayout(run.tuner, initial);
    trace.forEach(({ gradient, stepped, moved, ranks, drawn: theirs }, i) => {
      const step = i + 1;
      drawn = [...theirs];
      const slope = gradient ? inLayout(run.tuner, gradient) : new Float32Array(run.tuner.layout.length);
      if (stepped) values = inLayout(run.tuner, stepped);
      const { relayout } = run.afterStep(step, values, slope);
      expect(Object.values(run.ranks())).toEqual(ranks);
      expect(relayout !== undefined).toBe(moved !== undefined);
      expect(drawn).toEqual([]);
      if (relayout) {
        values = gatherValues(values, relayout.indices);
        relayout.begin?.(values);
        const expected = inLayout(run.tuner, moved!);
        // The released code normalizes its vectors in 32 bits.
        values.forEach((value, at) => {
          expect(value).toBeCloseTo(expected[at]!, 5);
        });
      }
      const resumed = startRun(name, draw);
      resumed.restore(structuredClone(run.state()));
      expect(resumed.state()).toEqual(run.state());
      run = resumed;
    });
    expect(run.settled).toBe(true);
  });
});

it('counts steps and ranks of moves as the schedule has them', () => {
  const moves = (schedule_: 'cubic' | 'constant') =>
    Array.from({ length: 22 }, (_, i) => movedRanks(i + 1, schedule, { b: 4, schedule: schedule_ }));
  const at = (counts: Record<number, number>) => Array.from({ length: 22 }, (_, i) => counts[i + 1] ?? 0);
  expect(moves('constant')).toEqual(at({ 7: 4, 11: 4, 15: 4 }));
  // 4 (1 - (4/13)³) = 3.88, with (8/13)³ 3.07, with (12/13)³ 0.85.
  expect(moves('cubic')).toEqual(at({ 7: 4, 11: 3, 15: 1 }));
});

it('never takes the last triplet of a module', () => {
  const scores = [Float64Array.of(1, 2), Float64Array.of(0), Float64Array.of(9, 8, 7)];
  expect(chooseMoves(scores, 2, 2)).toEqual([
    { removed: [0], added: 0 },
    { removed: [], added: 0 },
    { removed: [2], added: 2 },
  ]);
  expect(chooseMoves([Float64Array.of(1)], 2, 4)).toEqual([{ removed: [], added: 0 }]);
});

it('has entropies from 0 to 1, and none for a single triplet', () => {
  expect(spectralEntropy([2, 0, 0])).toBeCloseTo(0, 6);
  expect(spectralEntropy([1, -1, 1, -1])).toBeCloseTo(1, 6);
  // The shares are 0.9 and 0.1.
  expect(spectralEntropy([3, 1])).toBeCloseTo((-0.9 * Math.log(0.9) - 0.1 * Math.log(0.1)) / Math.log(2), 6);
  expect(spectralEntropy([5])).toBe(Number.POSITIVE_INFINITY);
  expect(spectralEntropy([0, 0])).toBe(Number.POSITIVE_INFINITY);
});

it('draws vectors that depend on seed, place and step alone', () => {
  const draw = seeded(3);
  expect(draw('q row 0', 7, 4)).toEqual(seeded(3)('q row 0', 7, 4));
  for (const other of [seeded(4)('q row 0', 7, 4), draw('q column 0', 7, 4), draw('q row 0', 8, 4)])
    expect(draw('q row 0', 7, 4)).not.toEqual(other);
});

it.each([
  [elaLoraConfigSchema, { k: 0 }, 'k'],
  [elaLoraConfigSchema, { b: 0 }, 'b'],
  [flexLoraConfigSchema, { removal: 'all' }, 'removal'],
  [flexLoraConfigSchema, { schedule: 'linear' }, 'schedule'],
])('rejects %#', (schema, given, key) => {
  expect(schema.safeParse(given).error?.issues.map(({ path }: { path: unknown[] }) => path[0])).toEqual([
    key,
  ]);
});
