import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { folderFiles } from '../../input/formats/node/folder-files.ts';
import { logValues } from './event-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('skips lines that are not JSON, up to as many as no run leaves', () => {
  const path = join(folder, 'metrics.jsonl');
  const read = (damaged: number) => {
    writeFileSync(path, `{"a": 1}\n${'{\n'.repeat(damaged)}{"a": 2}\n{"a`);
    return logValues(folderFiles(folder));
  };
  expect(read(999)).toEqual([{ a: 1 }, { a: 2 }]);
  expect(() => read(1000)).toThrow('metrics.jsonl has more than 1000 lines that are not JSON.');
});
