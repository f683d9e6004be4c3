import { cpSync, existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenCases, lostCases } from '../scripts/conformance/golden-folders.ts';
import { listCases } from '../scripts/conformance/run-folder.ts';
import { isReplayed } from '../scripts/conformance/trajectory-kinds.ts';
import { newFolder } from './support/new-folder.ts';

const GOLDEN = '../shared/conformance';

// Skipped if the golden cases are not beside the repository.
describe.skipIf(!existsSync(GOLDEN))('golden cases', () => {
  // In CI, `npm run conformance` compares them, and prints the deviation of each.
  it.for(process.env.CONFORMANCE_APART ? [] : goldenCases())('$name', async ({ kind, run }, { skip }) => {
    const { status, text } = await run();
    // A case may be skipped only if its method is not supported.
    if (status === 'skipped' && kind !== 'models' && !isReplayed(kind)) skip(text);
    expect(status, text).toBe('passed');
  });

  it('no case is missing', () => expect(lostCases()).toEqual([]));

  describe('a broken one fails with a message', () => {
    const folder = newFolder();

    it.each([
      ['of a wrong gradient', 'bert-regression', (path: string) => swapGradients(path), /gradients .* at /],
      [
        'without a file',
        'bert-classification',
        (path: string) => rmSync(join(path, 'batch.safetensors')),
        /batch/,
      ],
      [
        'cut short',
        'bert-classification',
        (path: string) => truncateSync(join(path, 'model.safetensors'), 999),
        /model/,
      ],
      [
        'of no JSON',
        'bert-classification',
        (path: string) => writeFileSync(join(path, 'case.json'), '{'),
        /JSON/,
      ],
    ])('%s', async (name, original, damage, message) => {
      const path = join(folder, name);
      cpSync(join(GOLDEN, 'models', original), join(path, 'models', original), { recursive: true });
      damage(join(path, 'models', original));
      const { run } = listCases(path)[0]!;
      expect(await run()).toEqual({ status: 'failed', text: expect.stringMatching(message) });
    });
  });
});

/** Replaces the gradients by those of another case, with the same names except for the head's shape. */
function swapGradients(path: string): void {
  cpSync(
    join(GOLDEN, 'models/bert-classification/gradients.safetensors'),
    join(path, 'gradients.safetensors'),
  );
}
