import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import { writeTinyTextModel } from '../../../../tests/support/tiny-text-model.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { readRun } from '../read-run.ts';
import { THIS_NODE } from './machine.ts';

const folder = newFolder();
let train: string;
beforeAll(() => {
  train = join(folder, 'train.tsv');
  writeFileSync(train, 'text\tlabel\na good film\tgood\na bad film\tbad\n');
});

const read = (config: object) =>
  readRun(THIS_NODE, parseRunConfig({ output: join(folder, 'run'), ...config }, 'test'));

it('lowers a default length to the positions of the model, with a notice', async () => {
  const model = join(folder, 'short');
  writeTinyModel(model, { max_position_embeddings: 64 });
  const data = { train, text: 'text', label: 'label' };
  const run = await read({ model, data });
  expect(run.maxLength).toBe(64);
  expect(run.notices).toContain(
    'data.max_length is 64, because the model has only 64 positions (default: 128).',
  );
  await expect(read({ model, data: { ...data, max_length: 100 } })).rejects.toThrow(
    /^data\.max_length .*got 100/,
  );
});

it('rejects a base that cannot be rounded before any weight is read', async () => {
  const model = join(folder, 'gpt2');
  writeTinyTextModel(model, 'gpt2');
  writeFileSync(join(model, 'model.safetensors'), 'no weights');
  const texts = join(folder, 'train.txt');
  writeFileSync(texts, 'a good film');
  const config = { model, task: 'causal_lm', data: { train: texts }, base_dtype: 'int8' };
  await expect(read(config)).rejects.toThrow('base_dtype int8');
});
