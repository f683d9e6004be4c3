import { expect, it } from 'vitest';
import { SafetensorsFile } from '../../input/formats/safetensors.ts';
import { Sha256 } from '../../support/sha256.ts';
import { computeFingerprint, encodeCheckpoint, restoreCheckpoint, type TrainerState } from './checkpoint.ts';
import { parseRunConfig } from './config/parse-run-config.ts';

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
  return restoreCheckpoint(SafetensorsFile.of(bytes, 'x.safetensors'), new Sha256());
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

const fingerprint = (training: object, more: object = {}) => {
  const data = { train: 'train.tsv', text: 'sentence', label: 'label' };
  return computeFingerprint(
    parseRunConfig(
      { defaults: 'huggingface', model: 'bert', data, output: 'run', training, ...more },
      'test',
    ),
    ['a'],
    [],
  );
};

it('the order of keys does not change a fingerprint', () => {
  expect(fingerprint({ weight_decay: 0.1, adam_beta1: 0.8 })).toBe(
    fingerprint({ adam_beta1: 0.8, weight_decay: 0.1 }),
  );
  const pattern = (rank_pattern: object) => fingerprint({}, { method: 'lora', lora: { rank_pattern } });
  expect(pattern({ query: 2, value: 3 })).toBe(pattern({ value: 3, query: 2 }));
});

it('a key that is undefined is not set in a fingerprint', () => {
  expect(fingerprint({}, { adapter: undefined })).toBe(fingerprint({}));
});

it('a run may be resumed with settings that change no step', () => {
  const own = fingerprint({});
  expect(fingerprint({ gradient_checkpointing: true })).toBe(own);
  expect(fingerprint({ logging_steps: 3, save_steps: 7 })).toBe(own);
  expect(fingerprint({ gradient_accumulation_steps: 2 })).not.toBe(own);
});
