import { closeSync, ftruncateSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openCheckpoint } from './checkpoint.ts';

/** Number of elements in each of two bf16 tensors, which together have 8 GB. */
const COUNT = 2 ** 31;
/**
 * Maximum growth of memory in bytes, less than a hundredth of the file. Garbage of other tests may be freed
 * meanwhile.
 */
const MAX_GROWTH = 100 * 2 ** 20;

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'large-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a sparse file: only one element of each tensor takes disk space. */
function writeSparse(): void {
  const tensor = (i: number) => ({
    dtype: 'BF16',
    shape: [COUNT / 1024, 1024],
    data_offsets: [2 * COUNT * i, 2 * COUNT * (i + 1)],
  });
  const header = new TextEncoder().encode(JSON.stringify({ a: tensor(0), b: tensor(1) }));
  const fd = openSync(join(folder, 'model.safetensors'), 'w');
  const dataStart = 8 + header.length;
  writeSync(fd, new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer));
  writeSync(fd, header);
  ftruncateSync(fd, dataStart + 4 * COUNT);
  const one = Uint8Array.of(0x80, 0x3f);
  writeSync(fd, one, 0, 2, dataStart + 2);
  writeSync(fd, one, 0, 2, dataStart + 4 * COUNT - 2);
  closeSync(fd);
}

it('of 8 GB opens, and is read in parts, with constant memory', () => {
  writeSparse();
  const before = process.memoryUsage.rss();
  const checkpoint = openCheckpoint(folder);
  expect(checkpoint.readFloat32('a', 0, 3)).toEqual(Float32Array.of(0, 1, 0));
  expect(checkpoint.readFloat32('b', COUNT - 2)).toEqual(Float32Array.of(0, 1));
  for (let i = 1; i <= 100; i++) checkpoint.readFloat32('b', i * 2 ** 18, (i + 1) * 2 ** 18);
  checkpoint.close();
  expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_GROWTH);
});
