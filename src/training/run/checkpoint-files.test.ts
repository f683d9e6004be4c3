import { beforeEach, expect, it } from 'vitest';
import { filesInMemory } from '../../../tests/support/files-in-memory.ts';
import { wholeFile } from '../../input/formats/byte-source.ts';
import { type FolderFiles, openFile } from '../../input/formats/files.ts';
import { Random } from '../../support/random.ts';
import type { TrainerState } from './checkpoint.ts';
import { readLastCheckpoint, writeCheckpoint } from './checkpoint-files.ts';

const ORIGIN = { fingerprint: 'abc', startedAt: new Date('2026-01-02T03:04:05.678Z') };
const state = (step: number): TrainerState => ({
  step,
  optimizerStep: step - 1,
  skipped: { total: 1, inARow: 0 },
  meter: { lossSum: 1.5, steps: 2 },
  losses: { first: 0.7, last: 0.5, peak: 0.7 },
  best: { step: 1, score: 0.5, waited: 1, metrics: { eval_accuracy: 0.5 } },
  lastMetrics: { eval_accuracy: 0.5, eval_matthews: Number.NaN },
  tensors: {
    values: new Random(step, 'values').normals(7, 1),
    best: new Float32Array(7).fill(3),
  },
  optimizer: { m: new Float32Array(7), v: new Float32Array(7).fill(step) },
  method: { pattern: Uint8Array.of(1, 0, 1), progress: Int32Array.of(2, 0) },
});

let folder: FolderFiles;
beforeEach(() => {
  folder = filesInMemory();
});
const bytesOf = (name: string) => wholeFile(openFile(folder, name, 'a checkpoint'), 2 ** 20);

it('round-trips', () => {
  expect(readLastCheckpoint(folder)).toBeUndefined();
  for (const step of [4, 8, 12]) writeCheckpoint(folder, state(step), ORIGIN, 2);
  expect(folder.list()).toHaveLength(2);
  const path = 'checkpoint-12.safetensors';
  expect(readLastCheckpoint(folder)).toEqual({ path, ...ORIGIN, state: state(12) });
});

it('of a run without evaluations has no best', () => {
  const { best: _, tensors, ...rest } = state(4);
  const { best: __, ...others } = tensors;
  writeCheckpoint(folder, { ...rest, best: undefined, tensors: others }, ORIGIN, 2);
  expect(readLastCheckpoint(folder)?.state.tensors.best).toBeUndefined();
  expect(readLastCheckpoint(folder)?.state.best).toBeUndefined();
});

it('with any wrong byte is replaced by the one before, with a notice', () => {
  for (const step of [4, 8]) writeCheckpoint(folder, state(step), ORIGIN, 2);
  const bytes = bytesOf('checkpoint-8.safetensors');
  const random = new Random(1, 'damage');
  const damages = [
    ...Array.from({ length: 60 }, () => {
      const changed = Buffer.from(bytes);
      changed[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      return changed;
    }),
    ...[0, 7, 100, bytes.length - 1].map((length) => bytes.subarray(0, length)),
  ];
  for (const damaged of damages) {
    folder.write('checkpoint-8.safetensors', damaged);
    const said: string[] = [];
    const saved = readLastCheckpoint(folder, (message) => said.push(message));
    // Spaces after the header's JSON have no meaning, and numbers may be spelled differently.
    if (saved?.state.step === 8) expect(saved.state).toEqual(state(8));
    else {
      expect(saved?.state).toEqual(state(4));
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(/checkpoint-8\.safetensors.*Using the previous checkpoint\.$/);
    }
  }
});

it('of another step or version under its name is ignored, and without an intact one there is an error', () => {
  writeCheckpoint(folder, state(4), ORIGIN, 2);
  folder.write('checkpoint-8.safetensors', bytesOf('checkpoint-4.safetensors'));
  expect(readLastCheckpoint(folder)?.state.step).toBe(4);
  folder.write('checkpoint-4.safetensors', 'x');
  expect(() => readLastCheckpoint(folder)).toThrow(
    /it contains step 4\.\n.*\nNo checkpoint of the run is intact/,
  );
});
