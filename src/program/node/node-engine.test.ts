import {
  copyFileSync,
  linkSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { writeTinyModel } from '../../../tests/support/tiny-model.ts';
import { FROZEN } from '../../methods/tuners/tuner.ts';
import { openModel } from '../../use/trained/node/load-model.ts';
import { tokenModel } from '../objectives/token-model.ts';
import { evaluationGraph } from '../training-graph.ts';
import { nodeEngine } from './node-engine.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder();
  writeTinyModel(folder);
});

it.each(['cpu', 'wasm'] as const)(
  'opens no session on weights that were replaced meanwhile (%s)',
  async (device) => {
    const model = await openModel(folder, tokenModel('MASKED_LM'));
    const engine = nodeEngine(model, device);
    const graph = () => evaluationGraph(model, FROZEN.tuner, 'logits');
    await (await engine.open(graph())).release();
    const path = join(folder, 'model.safetensors');
    copyFileSync(path, `${path}.new`);
    renameSync(`${path}.new`, path);
    await expect((async () => engine.open(graph()))()).rejects.toThrow(
      `${path} was replaced or changed since it was opened`,
    );
    model.close();
  },
);

it('opens one on weights with another hard link, and none on weights that were written over and dated back', async () => {
  const model = await openModel(folder, tokenModel('MASKED_LM'));
  const engine = nodeEngine(model, 'cpu');
  const open = async () => (await engine.open(evaluationGraph(model, FROZEN.tuner, 'logits'))).release();
  const path = join(folder, 'model.safetensors');
  await open();
  linkSync(path, `${path}.copy`);
  await open();
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
  await expect(open()).rejects.toThrow(`${path} was replaced or changed since it was opened`);
  model.close();
});
