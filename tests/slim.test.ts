import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bytesAt, sparePaths } from '../scripts/slim.mjs';

it('scripts/slim.mjs spares the engine of this machine, and what Node needs of the build for pages', async () => {
  const spare: string[] = sparePaths(false);
  expect(spare.filter((path) => !existsSync(path))).toEqual([]);
  const own = new RegExp(`bin/[^/]+/${process.platform}(/${process.arch})?$`);
  expect(spare.filter((path) => own.test(path.replaceAll('\\', '/')))).toEqual([]);
  expect(spare.some((path) => /ort-wasm-simd-threaded\.wasm$|ort\.node\.min\.mjs$/.test(path))).toBe(false);
  expect(sparePaths(true).some((path: string) => path.includes('onnxruntime-web'))).toBe(false);
  // Without the rest of 427 MB, an installation is below 150 MB.
  expect(spare.reduce((sum, path) => sum + bytesAt(path), 0)).toBeGreaterThan(355e6);
});
