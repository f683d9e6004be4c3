import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isWorthRestart } from './is-worth-restart.ts';

const root = mkdtempSync(join(tmpdir(), 'adalora-'));
afterAll(() => rmSync(root, { recursive: true }));

it('is what computes for long', () => {
  const [few, many] = ['few.tsv', 'many.tsv'].map((name) => join(root, name)) as [string, string];
  writeFileSync(few, 'text\n');
  writeFileSync(many, 'text\n'.repeat(20_000));
  const commands: [string, ...string[]][] = [
    ['train', 'run.yaml'],
    ['predict', root, many],
    ['predict', root],
    ['predict', root, 'a'.repeat(5000)],
    ['predict', root, few],
    ['plan', 'run.yaml', '--measure'],
    ['plan', 'run.yaml'],
    ['report', root],
  ];
  const worth = commands.map(([command, ...words]) => isWorthRestart(command, words));
  expect(worth).toEqual([true, true, true, true, false, true, false, false]);
});
