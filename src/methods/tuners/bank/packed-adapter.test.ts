import { afterAll, beforeAll, expect, it } from 'vitest';
import { methodConfig } from '../../../../tests/support/method-config.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { openForTask } from '../../../../tests/support/open-for-task.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { startMethod } from '../../../studies/jobs/set-up-run.ts';
import { loraConfigSchema } from '../lora/config.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { METHOD_NAMES, METHODS } from '../registry.ts';
import type { Tuner } from '../tuner.ts';
import { NotMixed } from './bank-form.ts';
import { packAdapter, packedBytes, wholeParts } from './packed-adapter.ts';

const folder = newFolder();
let model: LoadedModel;
beforeAll(() => {
  writeTinyModel(folder);
  model = openForTask(folder, 'single_label_classification', 3);
});
afterAll(() => {
  model.close();
});

const pack = (tuner: Tuner) =>
  packAdapter(model, { tuner, values: new Float32Array(tuner.layout.length) }, 'mine');
const lora = (more: object) =>
  LoraTuner.create(model, loraConfigSchema.parse({ r: 2, target_modules: ['query'], ...more }));

it('accepts low-rank adapters, whole linear modules, biases and bottlenecks', () => {
  const packed = pack(lora({}));
  const pieces = [...packed.values()].flatMap(({ pieces }) => [...pieces]);
  const queries = [0, 1].map((i) => `bert.encoder.layer.${i}.attention.self.query`);
  expect(pieces.map(([path]) => path)).toEqual([...queries, 'classifier']);
  expect(pieces.at(-1)![1]).toMatchObject({ size: 3, tensors: { bias: new Float32Array(3) } });
  const floats = pieces.flatMap(([, { tensors }]) => Object.values(tensors)).flatMap((all) => [...all]);
  expect(packedBytes(packed)).toBe(4 * floats.length);
  const biases = [...pack(METHODS.bitfit.start(model, {}, 1).tuner).values()].at(-1)!.pieces;
  expect([...biases.keys()]).toContain('bert.encoder.layer.1.output.LayerNorm');
  expect(biases.has('classifier')).toBe(false);
  const small = METHODS.houlsby.config.parse({ bottleneck: 3 });
  const [bottlenecks] = pack(METHODS.houlsby.start(model, small, 1).tuner).values();
  expect([...bottlenecks!.pieces.values()].map(({ size }) => size)).toEqual([3, 3, 3, 3]);
});

it('names the methods and parameters that no bank holds', () => {
  const reasons = METHOD_NAMES.flatMap((name) => {
    try {
      pack(startMethod(methodConfig(name), model, 40).run.tuner);
      return [];
    } catch (error) {
      // Other methods do not fit this model.
      return error instanceof NotMixed ? `${name}: ${error.message}` : [];
    }
  });
  const table = (name: string) => `mine has bert.embeddings.${name}_embeddings.weight trained in full`;
  const end = 'so it cannot share batches with other adapters.';
  expect(reasons).toEqual([
    `adadora: mine divides each row of its weights by the length of that row (DoRA), ${end}`,
    `full: ${table('position')}, ${end}`,
  ]);
  expect(() => pack(lora({ use_dora: true }))).toThrow('by the length of that row (DoRA)');
  expect(() => pack(lora({ modules_to_save: ['word_embeddings'] }))).toThrow(`${table('word')}, ${end}`);
  expect(() => pack({ ...METHODS.bitfit.start(model, {}, 1).tuner, bank: undefined })).toThrow(
    `mine uses a method that does not support shared batches, ${end}`,
  );
});

it('leaves the head of a language model out of the slots', () => {
  const head = { path: 'lm_head', inFeatures: 2048, outFeatures: 50_000 };
  const none = () => new Float32Array(0);
  expect(() => wholeParts([head], new Set(['lm_head.weight']), none, none, 'mine')).toThrow(
    'mine has lm_head.weight trained in full',
  );
});
