import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { relativeDistance } from '../../../../tests/support/distance.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { openForTask } from '../../../../tests/support/open-for-task.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import { BASE_BLOCK, fourBitValues } from '../../../input/formats/quantize.ts';
import { randomBatch } from '../../../input/text/batches.ts';
import { quantizedPaths } from '../../../program/bases/base-format.ts';
import { withBaseDtype } from '../../../program/bases/with-base-dtype.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { modelFeeds } from '../../../program/objectives/model-inputs.ts';
import { Program } from '../../../program/program.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { elementCount } from '../../../support/arrays.ts';
import { Random } from '../../../support/random.ts';
import { models } from '../../../use/trained/node/load-model.ts';
import { AT_START, factorName } from '../low-rank/factors.ts';
import { type LoraConfig, loraConfigSchema } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';

const WIDTH = 64;
const RANK = 3;
const folder = newFolder();
const cacheFolder = join(folder, 'cache');
beforeAll(() => writeTinyModel(folder, { hidden_size: WIDTH, intermediate_size: WIDTH }));

const openFloat = () => openForTask(folder, 'single_label_classification', 3);

function tunerOn(model: LoadedModel, settings: Partial<LoraConfig>): LoraTuner {
  const target_modules = ['query', 'output.dense'];
  return LoraTuner.create(
    model,
    loraConfigSchema.parse({ r: RANK, lora_alpha: 2 * RANK, target_modules, ...settings }),
  );
}

async function logitsOf(model: LoadedModel, tuner: LoraTuner, values: Float32Array): Promise<Float32Array> {
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const feeds = modelFeeds(randomBatch(model.config.vocabSize, 3, 9, 'starts'));
  const logits = (await program.predict(values, feeds)).slice();
  await program.release();
  return logits;
}

/** Copies the head of a tuner's values to another tuner's. */
function withHead(to: LoraTuner, values: Float32Array, from: LoraTuner, source: Float32Array): Float32Array {
  for (const { name } of to.layout.segments)
    if (name.startsWith('classifier')) to.layout.read(values, name).set(from.layout.read(source, name));
  return values;
}

/** The columns of two matrices [rows, RANK] side by side. */
const beside = (a: Float32Array, b: Float32Array) =>
  Float32Array.from({ length: 2 * a.length }, (_, i) => {
    const [row, column] = [Math.floor(i / (2 * RANK)), i % (2 * RANK)];
    return column < RANK ? a[row * RANK + column]! : b[row * RANK + column - RANK]!;
  });

it.each([
  ['pissa', 'int8'],
  ['pissa', 'int4'],
] as const)(
  '%s over %s starts from the factors of the weight and leaves the rest to the base',
  async (init, dtype) => {
    const float = openFloat();
    const exact = tunerOn(float, { init_lora_weights: init });
    const expected = exact.initialValues(3, float.reader(3));
    const model = await withBaseDtype(models.machine, openFloat(), dtype, { cacheFolder });
    const tuner = tunerOn(model, { init_lora_weights: init });
    const start = tuner.initialValues(3, model.reader(3));
    // The factors are those of the weight before rounding.
    expect(start).toEqual(expected);
    const frozen = (path: string, factor: 'A' | 'B') =>
      tuner.frozen!.read(factorName(path, factor) + AT_START);
    for (const { path } of tuner.modules)
      for (const factor of ['A', 'B'] as const)
        expect(frozen(path, factor)).toEqual(start.slice(...spanOf(tuner, factorName(path, factor))));

    const plain = tunerOn(model, {});
    const untouched = withHead(plain, plain.initialValues(3, model.reader(3)), tuner, start);
    // The start takes B A from the product and adds it again, in 32 bits.
    expect(
      relativeDistance(await logitsOf(model, tuner, start), await logitsOf(model, plain, untouched)),
    ).toBeLessThan(1e-5);

    const noise = new Random(3, 'moved').normals(start.length, 0.05);
    const moved = start.map((value, i) => value + noise[i]!);
    const found = await logitsOf(model, tuner, moved);
    expect(relativeDistance(found, await logitsOf(model, tuner, start))).toBeGreaterThan(0.01);
    // The same base with the increment s B A - s B₀ A₀ as one pair of factors.
    const doubled = tunerOn(model, { r: 2 * RANK, lora_alpha: 4 * RANK });
    const pairs = withHead(doubled, new Float32Array(doubled.layout.length), tuner, moved);
    for (const { path } of tuner.modules) {
      const trained = (factor: 'A' | 'B') => tuner.layout.read(moved, factorName(path, factor));
      doubled.layout.read(pairs, factorName(path, 'A')).set([...trained('A'), ...frozen(path, 'A')]);
      doubled.layout.read(pairs, factorName(path, 'B')).set(
        beside(
          trained('B'),
          frozen(path, 'B').map((value) => -value),
        ),
      );
    }
    expect(relativeDistance(found, await logitsOf(model, doubled, pairs))).toBeLessThan(1e-5);

    // With an int4 base, the weights of the base are known: a float32 model has Q - s B₀ A₀ + s B A.
    if (dtype === 'int4') {
      const rounded = new Set([...quantizedPaths(float, BASE_BLOCK)].map((path) => `${path}.weight`));
      const merged = doubled.merged(pairs, (name, from, to) => {
        const values = float.readRange(name, 0, elementCount(float.parameters.get(name)!));
        return (rounded.has(name) ? fourBitValues(values) : values).slice(from, to);
      });
      const whole: LoadedModel = {
        ...float,
        locate: (name) => ({ data: merged(name, 0, elementCount(float.parameters.get(name)!)) }),
      };
      const zero = withHead(plain, plain.initialValues(3, float.reader(3)), tuner, moved);
      // The int4 kernel and the float32 product add in another order.
      expect(relativeDistance(found, await logitsOf(whole, plain, zero))).toBeLessThan(1e-4);
    }
    model.close();
    float.close();
  },
);

function spanOf({ layout }: LoraTuner, name: string): [start: number, end: number] {
  const { start, end } = layout.get(name);
  return [start, end];
}
