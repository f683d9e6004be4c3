import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/**
 * Creates an empty folder. It is removed after the test that calls this, or its `beforeEach`; elsewhere after the tests
 * of the file or of the `describe`. Do not call it in `beforeAll`.
 */
export function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'adalora-')));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    onTestFinished(remove);
  } catch {
    afterAll(remove);
  }
  return folder;
}
