import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { newFolder } from './support/new-folder.ts';
import { writeTinyModel } from './support/tiny-model.ts';

const folder = newFolder();
beforeAll(() => {
  for (const name of ['package.json', 'tsconfig.json', 'node_modules', 'dist', 'src', 'scripts'])
    symlinkSync(resolve(name), join(folder, name));
  writeTinyModel(join(folder, 'tiny'));
});

function demo(...settings: string[]) {
  const words = settings.flatMap((setting) => ['--set', setting]);
  return spawnSync(process.execPath, ['--import', 'tsx', 'scripts/demo/run.ts', ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 300_000,
  });
}

it('the demo turns e-mails into scores, costs, a report and an adapter that predicts', () => {
  const { status, stdout, stderr } = demo('model=tiny', 'training.max_steps=12', 'data.max_length=24');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(
    /^6,046 e-mails: \d+ duplicates removed, and [\d,]+ near duplicates kept in one part\.\n/,
  );
  expect(stdout).toContain('$ npx adalora plan scripts/demo/spam.yaml --set model=tiny');
  expect(stdout).toMatch(/accuracy 0\.\d{3}, F1 of spam 0\.\d{3} \(majority class: 0\.\d{3}, 0\)/);
  expect(stdout).toMatch(/examples per second +\d+ +\d+\n/);
  expect(stdout).toContain('npx adalora predict runs/demo');
  expect(readFileSync(join(folder, 'runs/demo/report.html'), 'utf8')).toContain('<html');
  const adapter = (run: string) =>
    JSON.parse(readFileSync(join(folder, run, 'adapter/adapter_config.json'), 'utf8'));
  expect(adapter('runs/demo').peft_type).toBe('ADALORA');
  expect(adapter('runs/demo-lora')).toMatchObject({ peft_type: 'LORA', r: 8 });

  const { stdout: answer } = spawnSync(process.execPath, ['dist/cli/main.js', 'predict', 'runs/demo'], {
    cwd: folder,
    encoding: 'utf8',
    input: 'WIN MONEY NOW\n',
    timeout: 60_000,
  });
  expect(['ham', 'spam']).toContain(JSON.parse(answer).label);
});

it('the demo stops if its training fails', () => {
  const { status, stdout, stderr } = demo('model=nowhere/at-all/here');
  expect(status).toBe(2);
  expect(stderr).toContain('nowhere/at-all/here does not exist');
  expect(stdout).not.toContain('Scores on');
  expect(existsSync(join(folder, 'runs/demo'))).toBe(false);
});
