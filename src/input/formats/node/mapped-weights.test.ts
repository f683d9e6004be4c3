import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { add, input, weight } from '../../../engine/graph/build.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { lower, type WeightLocation } from '../../../engine/onnx/lower.ts';
import { createSession } from '../../../engine/runtime/node/create-session.ts';
import { openCheckpoint } from './checkpoint.ts';

const DTYPES: Record<string, WeightLocation['dtype']> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'mapped-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The old format does not align storages, but the engine can map them. */
it.each(['tensors.bin', 'legacy.bin', 'legacy-protocol-4.bin'])('the engine maps %s', async (fixture) => {
  copyFileSync(`src/input/formats/pickle/fixtures/${fixture}`, join(folder, 'pytorch_model.bin'));
  const checkpoint = openCheckpoint(folder);
  const names = ['matrix', 'rows', 'parameter', 'half', 'brain', 'tied'];
  const graph = new Graph();
  const zero = input(graph, 'zero', 'float32', []);
  const outputs = Object.fromEntries(
    names.map((name) => [`y_${name}`, add(weight(graph, name, checkpoint.info(name).shape), zero)]),
  );
  const locate = (name: string): WeightLocation => {
    const { dtype, begin, end } = checkpoint.info(name);
    return { file: 'pytorch_model.bin', begin, end, dtype: DTYPES[dtype]! };
  };
  const session = await createSession(lower(outputs, { target: 'cpu', locate }), {
    device: 'cpu',
    weightFolder: dirname(checkpoint.info('matrix').file),
  });
  const results = await session.run({ zero: { data: new Float32Array(1), dims: [] } });
  for (const name of names) expect(results[`y_${name}`]!.data).toEqual(checkpoint.readFloat32(name));
  await session.release();
  checkpoint.close();
});
