import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openIn } from '../../../tests/support/describe-in.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { readSafetensors, writeSafetensors } from '../../../tests/support/safetensors-file.ts';
import { writeSmallGenerator } from '../../../tests/support/small-generator.ts';
import { f16ToF32, f32ToF16 } from '../../input/formats/float.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';

const root = newFolder();
const cache = join(root, 'cache');
afterEach(() => vi.unstubAllEnvs());

const [NAME, ROWS, COLUMNS] = ['model.layers.0.mlp.down_proj.weight', 32, 40] as const;

/** Writes a model with a matrix of bytes, as bitsandbytes has it. Returns its floats. */
function writeQuantized(folder: string): Float32Array {
  writeSmallGenerator(folder, 'llama');
  const tensors = readSafetensors(join(folder, 'model.safetensors'));
  const bytes = Int8Array.from({ length: ROWS * COLUMNS }, (_, i) => ((i * 37) % 255) - 127);
  const scales = Float32Array.from({ length: ROWS }, (_, row) => 0.01 * (row + 1));
  tensors.set(NAME, { dtype: 'I8', shape: [ROWS, COLUMNS], data: bytes });
  tensors.set(NAME.replace('weight', 'SCB'), { dtype: 'F32', shape: [ROWS], data: scales });
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const path = join(folder, 'config.json');
  const quantization_config = { quant_method: 'bitsandbytes', load_in_8bit: true };
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), quantization_config }));
  const floats = Float32Array.from(bytes, (byte, i) => (byte * scales[Math.floor(i / COLUMNS)]!) / 127);
  return f16ToF32(f32ToF16(floats));
}

it('a quantized checkpoint is written as floats once, and again if the copy is damaged', () => {
  vi.stubEnv('ADALORA_CACHE', cache);
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const folder = join(root, 'quantized');
  const expected = writeQuantized(folder);
  const readMatrix = () => {
    const model = openIn(folder, tokenModel('CAUSAL_LM'));
    const values = model.readRange(NAME, 0, ROWS * COLUMNS);
    model.close();
    return values;
  };
  // The product with 1 / 127 may round an element of 16 bits to its neighbor.
  const matches = () => {
    const found = readMatrix();
    for (let i = 0; i < found.length; i++)
      expect(Math.abs(found[i]! - expected[i]!)).toBeLessThanOrEqual(Math.abs(expected[i]!) * 2 ** -10);
  };
  matches();
  const name = readdirSync(cache).find((entry) => entry.startsWith('float-'))!;
  const copy = join(cache, name, 'model.safetensors');
  const { mtimeMs, size } = statSync(copy);
  matches();
  expect(statSync(copy).mtimeMs).toBe(mtimeMs);
  expect(warn).toHaveBeenCalledOnce();
  truncateSync(copy, 1000);
  matches();
  expect(statSync(copy).size).toBe(size);
});
