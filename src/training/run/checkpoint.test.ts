import { expect, it } from 'vitest';
import { SafetensorsTensors } from '../../input/formats/safetensors.ts';
import { Sha256 } from '../../support/sha256.ts';
import { encodeCheckpoint, restoreCheckpoint, type TrainerState } from './checkpoint.ts';

const STATE: TrainerState = {
  step: 1,
  optimizerStep: 1,
  skipped: { total: 0, inARow: 0 },
  meter: { lossSum: 1, steps: 1 },
  losses: { peak: 0 },
  lastMetrics: {},
  tensors: { values: Float32Array.of(1, 2) },
  best: undefined,
  optimizer: { m: new Float32Array(2), v: new Float32Array(2) },
  method: {},
};

/** A checkpoint with a valid checksum, read back. `began` is the text of its start time. */
function restored(began: string) {
  const startedAt = { toISOString: () => began } as Date;
  const bytes = Buffer.concat(encodeCheckpoint(STATE, { fingerprint: 'f', startedAt }, new Sha256()));
  return restoreCheckpoint(SafetensorsTensors.of(bytes, 'x.safetensors'), new Sha256());
}

it('restores the state and the start of its run', () => {
  const { state, startedAt, fingerprint } = restored('2026-05-04T03:02:01.000Z');
  expect([state.step, ...state.tensors.values]).toEqual([1, 1, 2]);
  expect([fingerprint, startedAt.toISOString()]).toEqual(['f', '2026-05-04T03:02:01.000Z']);
});

it('rejects a checkpoint whose start is not a time', () => {
  expect(() => restored('soon')).toThrow(
    'x.safetensors is damaged: it lacks the fingerprint or the start of its run',
  );
});
