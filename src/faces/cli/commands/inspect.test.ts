import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { writeMadeAdapter } from '../../../../tests/support/made-adapter.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import { runCommand } from '../run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'adalora-inspect-'));
const [base, adapter] = [join(folder, 'model'), join(folder, 'adapter')];
const log = vi.spyOn(console, 'log').mockImplementation(() => {});
afterAll(() => {
  log.mockRestore();
  rmSync(folder, { recursive: true });
});

it("counts VeRA's shared matrices as frozen", async () => {
  writeTinyModel(base);
  mkdirSync(adapter);
  writeMadeAdapter(adapter, base, { method: 'vera', rank: 3, targets: ['query', 'key'], seed: 1 });
  await runCommand(['inspect', adapter, '--json']);
  const summary = JSON.parse(log.mock.calls.flat().join('\n'));
  // Two layers with two square matrices of width 32: A is [3, 32], B [32, 3]; each matrix has vectors of 3 and 32.
  expect(summary).toMatchObject({ frozen_parameters: 2 * 3 * 32, adapter_parameters: 4 * (3 + 32) });
});
