import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeMadeAdapter } from '../../../../tests/support/made-adapter.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { readSafetensors, writeSafetensors } from '../../../../tests/support/safetensors-file.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import { UserError } from '../../../support/user-error.ts';
import type { OpenedModel } from '../opened-model.ts';
import { open } from './open.ts';

const folder = newFolder();
let base: string;
beforeAll(() => {
  base = join(folder, 'model');
  writeTinyModel(base);
});

/** Opens an adapter. In every tensor with a matching name, the first value is replaced. */
async function withValue(value: number, names: RegExp): Promise<OpenedModel> {
  const adapter = mkdtempSync(join(folder, 'adapter-'));
  writeMadeAdapter(adapter, base, { method: 'adalora', seed: 1 });
  const file = join(adapter, 'adapter_model.safetensors');
  const tensors = new Map(readSafetensors(file));
  for (const [name, { data }] of tensors) if (names.test(name)) (data as Float32Array)[0] = value;
  writeSafetensors(file, tensors, { format: 'pt' });
  return open(adapter, { model: base });
}

const WAYS: Record<string, (model: OpenedModel, output: string) => Promise<void>> = {
  'merge --dtype float16': (model, output) => model.merge(output, { dtype: 'float16' }),
  merge: (model, output) => model.merge(output),
  onnx: (model, output) => model.export('onnx', output),
  lora: (model, output) => model.export('lora', output),
};

describe.each(Object.keys(WAYS))('%s rejects', (way) => {
  it.each([
    ['NaN', Number.NaN, /lora_A/],
    ['Infinity in the head', Number.POSITIVE_INFINITY, /classifier/],
    ['products that overflow', 1e30, /lora_[ABE]/],
  ])('%s', async (_, value, names) => {
    const model = await withValue(value, names);
    try {
      const output = mkdtempSync(join(folder, 'output-'));
      const error = await WAYS[way]!(model, output).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect(`${error}`).toMatch(/has the value /);
    } finally {
      await model.close();
    }
  });
});

it('layers of a graph are written only with finite values', async () => {
  const adapter = mkdtempSync(join(folder, 'adapter-'));
  writeMadeAdapter(adapter, base, { method: 'houlsby', seed: 1, deviation: Number.NaN });
  const model = await open(adapter, { model: base });
  await expect(model.export('onnx', join(folder, 'layers'))).rejects.toThrow('has the value NaN');
  await model.close();
});

it('an answer or a score that is not finite names the file with the value', async () => {
  const reason = async (model: OpenedModel) => {
    const errors = [
      await model.predict('a text').catch((thrown: unknown) => thrown),
      await model.evaluate({ data: [{ text: 'a text', label: 'bad' }] }).catch((thrown: unknown) => thrown),
    ];
    await model.close();
    expect(`${errors[1]}`).toBe(`${errors[0]}`);
    return `${errors[0]}`;
  };
  expect(await reason(await withValue(Number.NaN, /classifier/))).toMatch(/The adapter in .*adapter-.* has/);
  const damaged = join(folder, 'damaged');
  writeTinyModel(damaged);
  const file = join(damaged, 'model.safetensors');
  const tensors = new Map(readSafetensors(file));
  const name = 'bert.encoder.layer.0.output.dense.weight';
  (tensors.get(name)!.data as Float32Array)[7] = Number.NaN;
  writeSafetensors(file, tensors);
  const adapter = mkdtempSync(join(folder, 'adapter-'));
  writeMadeAdapter(adapter, base, { method: 'adalora', seed: 1 });
  const opened = await open(adapter, { model: damaged });
  expect(await reason(opened)).toContain(`${file}: the tensor ${name} has the value NaN.`);
});
