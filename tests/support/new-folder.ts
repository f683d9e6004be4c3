import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Creates an empty folder, which is removed after the tests of the file or the `describe` that calls this. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
