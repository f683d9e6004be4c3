import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { contentDigest, isDigestedWhole } from './content-digest.ts';

const root = mkdtempSync(join(tmpdir(), 'adalora-'));
afterAll(() => rmSync(root, { recursive: true }));

it('is that of the content, whatever name and time it has', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(root, name));
  writeFileSync(a, 'weights 1');
  writeFileSync(b, 'weights 1');
  writeFileSync(c, 'weights 2');
  for (const path of [a, c]) utimesSync(path, 1, 1);
  expect(contentDigest(b)).toBe(contentDigest(a));
  expect(contentDigest(c)).not.toBe(contentDigest(a));
});

it('of a huge file tells a megabyte that changed, wherever it lies, and another size', () => {
  const path = join(root, 'huge.bin');
  const size = 2 ** 28 + 3;
  writeFileSync(path, '');
  truncateSync(path, size); // a hole: nothing is written
  expect(isDigestedWhole(size)).toBe(false);
  const before = contentDigest(path);
  const seen = new Set([before]);
  const changed = new Uint8Array(2 ** 20).fill(1);
  for (const at of [0, 100_000_001, size - changed.length]) {
    const fd = openSync(path, 'r+');
    writeSync(fd, changed, 0, changed.length, at);
    closeSync(fd);
    seen.add(contentDigest(path));
  }
  truncateSync(path, size - 1);
  seen.add(contentDigest(path));
  expect(seen.size).toBe(5);
});
