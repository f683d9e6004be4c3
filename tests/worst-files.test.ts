import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { KINDS } from '../scripts/fuzz/kinds.ts';
import { WORST_FILES } from '../scripts/fuzz/worst-files.ts';

it('small files that cost most are read, or refused for what they are, within the limits of SECURITY.md', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/fuzz/run.ts', '--seed', 'worst'],
    { encoding: 'utf8' },
  );
  const refused = WORST_FILES.filter((file) => file.refused !== undefined).length;
  const ends = { value: WORST_FILES.length - refused, refused };
  const [last, ...found] = stdout.trimEnd().split('\n').reverse() as [string, ...string[]];
  expect(found).toEqual([]);
  expect(JSON.parse(last.replace('seed worst: ', ''))).toEqual(ends);
  expect(status).toBe(0);
}, 600_000);

it('each has a kind', () => {
  const kinds = new Set(KINDS.map(({ name }) => name));
  expect(WORST_FILES.filter(({ kind }) => !kinds.has(kind))).toEqual([]);
});
