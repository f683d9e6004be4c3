import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { bytesAt, sparePaths } from './slim.ts';

it('slim spares the engine of this machine, and what Node needs of the build for pages', async () => {
  const spare = await sparePaths(disk, { keepWeb: false });
  expect(spare.filter((path) => !existsSync(path))).toEqual([]);
  const own = new RegExp(`bin/[^/]+/${process.platform}(/${process.arch})?$`);
  expect(spare.filter((path) => own.test(path.replaceAll('\\', '/')))).toEqual([]);
  expect(spare.some((path) => /ort-wasm-simd-threaded\.wasm$|ort\.node\.min\.mjs$/.test(path))).toBe(false);
  expect((await sparePaths(disk, { keepWeb: true })).some((path) => path.includes('onnxruntime-web'))).toBe(
    false,
  );
  // Without the rest of 427 MB, an installation is below 150 MB.
  expect(spare.reduce((sum, path) => sum + bytesAt(disk, path), 0)).toBeGreaterThan(355e6);
});
