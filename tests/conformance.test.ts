import { cpSync, existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GOLDEN, missingCases } from '../scripts/conformance/golden-counts.ts';
import { listCases } from '../scripts/conformance/run-folder.ts';

// Skipped where the golden cases are not beside the repository.
describe.skipIf(!existsSync(GOLDEN))('golden cases', () => {
  const compared: string[] = [];
  it.for(listCases(GOLDEN))('$name', async ({ name, run }, { skip }) => {
    const { status, text } = await run();
    if (status === 'skipped') skip(text);
    compared.push(name);
    expect(status, text).toBe('passed');
  });

  it('are all there: as many were compared as there were when this was written', () => {
    expect(missingCases(compared)).toEqual([]);
    expect(missingCases(['models/a', 'trajectories/b'])).toEqual([
      expect.stringMatching(/models: expected at least \d+ cases, compared 1$/),
      expect.stringMatching(/trajectories: expected at least \d+ cases, compared 1$/),
    ]);
  });

  describe('a broken one fails with a sentence', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

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
      const [{ run }] = listCases(path);
      expect(await run()).toEqual({ status: 'failed', text: expect.stringMatching(message) });
    });
  });
});

/** Puts another case's gradients, of the same names but for the head's shape, in their place. */
function swapGradients(path: string): void {
  cpSync(
    join(GOLDEN, 'models/bert-classification/gradients.safetensors'),
    join(path, 'gradients.safetensors'),
  );
}
