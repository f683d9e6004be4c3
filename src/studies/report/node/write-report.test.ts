import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { DRAWN_BY } from '../page/page.ts';
import { writeReport } from './write-report.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

it('replaces a report, but no other file', () => {
  const path = join(folder, 'train.tsv');
  writeFileSync(path, 'text\tlabel\n');
  const attempt = () => writeReport([folder], path);
  expect(attempt).toThrow('already exists and is not a report.');
  expect(readFileSync(path, 'utf8')).toBe('text\tlabel\n');
  writeFileSync(path, `<footer>${DRAWN_BY} run.</footer>`);
  // The check passes. Writing then fails, because the folder is not a run's.
  expect(attempt).not.toThrow('a report to replace');
});
