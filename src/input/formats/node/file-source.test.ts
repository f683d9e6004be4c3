import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { FileSource } from './folder-files.ts';

const folder = newFolder();

it('closed twice, does not close another file with the same descriptor', () => {
  const path = join(folder, 'weights');
  writeFileSync(path, 'weights');
  const source = FileSource.open(path, 'a file')!;
  source.close();
  // The system assigns the lowest free descriptor number.
  const other = openSync(join(folder, 'other'), 'w+');
  source.close();
  expect(writeSync(other, 'mine')).toBe(4);
  expect(() => source.read(0, 4)).toThrow('was closed before it was read');
  closeSync(other);
});
