import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  eva,
  evaConfigSchema,
  IncrementalPca,
  measureInputs,
  rankDistribution,
} from '../../examples/methods/eva.mjs';
import { factorName } from '../../src/methods/tuners/low-rank/factors.ts';
import type { ModuleInput } from '../../src/methods/tuners/method-run.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { Random } from '../../src/support/random.ts';
import { measuredModel, measureInputsIn } from '../support/measure-inputs-in.ts';
import { readSafetensors } from '../support/safetensors-file.ts';

/** A run on PEFT's model after it has measured PEFT's batches, its initial values, and PEFT's. */
async function measured(name: string) {
  const folder = `src/methods/tuners/fixtures/eva/${name}`;
  const theirs = JSON.parse(readFileSync(`${folder}/eva.json`, 'utf8')) as {
    settings: object;
    ranks: Record<string, number>;
    scales: Record<string, number>;
    rank_pattern: Record<string, number>;
    alpha_pattern: Record<string, number>;
  };
  const { use_label_mask: _, ...settings } = theirs.settings as Record<string, unknown>;
  const start = (model: LoadedModel) => eva.start(model, evaConfigSchema.parse(settings), 10);
  const made = await measureInputsIn(name, start);
  return { theirs, start, ...made, a: readSafetensors(`${folder}/a.safetensors`) };
}

describe.each(['bert', 'gpt2'])('on %s', (name) => {
  it('has the ranks, scales and A of PEFT', async () => {
    const { theirs, run, found, values, a } = await measured(name);
    expect(run.ranks()).toEqual(theirs.ranks);
    expect(found.pattern).toMatchObject({
      rank_pattern: theirs.rank_pattern,
      alpha_pattern: theirs.alpha_pattern,
    });
    const { layout, modules } = run.tuner as ReturnType<typeof Object>;
    for (const { path, scale } of modules) {
      expect(scale).toBeCloseTo(theirs.scales[path]!, 12);
      const ours = layout.read(values, factorName(path, 'A')) as Float32Array;
      // PEFT decomposes the rows in 32 bits, over several batches.
      (a.get(path)!.data as Float32Array).forEach((value, i) => {
        expect(ours[i]).toBeCloseTo(value, 4);
      });
      expect(Math.max(...layout.read(values, factorName(path, 'B')))).toBe(0);
    }
  });
});

it('resumes with its ranks and scales', async () => {
  const { run, start } = await measured('bert');
  const { model } = measuredModel('bert');
  const other = start(model);
  model.close();
  other.restore(structuredClone(run.state()));
  expect(other.tuner.layout.segments).toEqual(run.tuner.layout.segments);
  expect(other.store!(new Float32Array(other.tuner.layout.length), 'base').config).toEqual(
    run.store!(new Float32Array(run.tuner.layout.length), 'base').config,
  );
});

it('finds the components of all rows, batch by batch', () => {
  const width = 6;
  const rows = new Random(1, 'rows').normals(40 * width, 1).map((value, at) => value * (at % width) + 2);
  const whole = new IncrementalPca(width, width);
  whole.fit(rows);
  const parts = new IncrementalPca(width, width);
  for (const [from, to] of [
    [0, 13],
    [13, 20],
    [20, 40],
  ])
    parts.fit(rows.slice(from! * width, to! * width));
  // No component is dropped, so the parts differ only by float32 rounding.
  parts.singularValues.forEach((value: number, k: number) => {
    expect(value).toBeCloseTo(whole.singularValues[k]!, 3);
  });
  expect(parts.explained.reduce((a: number, b: number) => a + b, 0)).toBeCloseTo(1, 5);
});

it('gives the first of several modules with equal inputs the highest rank', () => {
  const modules = [
    { path: 'q', leader: 'q' },
    { path: 'o', leader: 'o' },
    { path: 'k', leader: 'q' },
  ];
  const explained = new Map([
    ['q', [0.5, 0.2]],
    ['o', [0.6, 0.1]],
  ]);
  expect(rankDistribution(modules, explained, 3)).toEqual(
    new Map([
      ['q', 1],
      ['o', 1],
      ['k', 1],
    ]),
  );
  expect(rankDistribution(modules, explained, 4)).toEqual(
    new Map([
      ['q', 2],
      ['o', 1],
      ['k', 1],
    ]),
  );
});

it('says so when directions never settle', async () => {
  async function* inputs(): AsyncGenerator<ModuleInput[]> {
    for (let step = 0; ; step++)
      yield [{ paths: ['m'], width: 8, rows: new Random(step, 'noise').normals(20 * 8, 1) }];
  }
  const settings = { ...evaConfigSchema.parse({ tau: 1, max_batches: 5 }) };
  await expect(measureInputs([{ path: 'm', rank: 3 }], settings, inputs)).rejects.toThrow(
    'eva did not converge in 5 batches: the principal directions of the inputs still change',
  );
});

it.each([
  [{ rho: 0.5 }, 'rho'],
  [{ tau: 0 }, 'tau'],
  [{ max_batches: 1 }, 'max_batches'],
])('rejects %j', (settings, key) => {
  const result = evaConfigSchema.safeParse(settings);
  expect(result.error?.issues.map(({ path }: { path: unknown[] }) => path[0])).toEqual([key]);
});
