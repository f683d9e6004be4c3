import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeSafetensors } from '../../formats/node/safetensors-file.ts';
import type { StoredTensor } from '../../formats/tensor-data.ts';
import { readLastCheckpoint } from './checkpoint-file.ts';

it('refuses a checkpoint whose vectors lie in another order', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-checkpoint-'));
  const values: StoredTensor = { dtype: 'F32', shape: [1], data: new Float32Array(1) };
  writeSafetensors(join(folder, 'checkpoint-7.safetensors'), new Map([['values', values]]), { format: '1' });
  expect(() => readLastCheckpoint(folder)).toThrow(
    /checkpoint-7.*expected a checkpoint of format 2, got format 1/s,
  );
  rmSync(folder, { recursive: true });
});
