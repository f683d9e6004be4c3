import { expect, it } from 'vitest';
import { parseRunConfig } from '../config/run-config.ts';
import { fingerprintOf } from './same-run.ts';

const fingerprint = (training: object) => {
  const data = { train: 'train.tsv', text: 'sentence', label: 'label' };
  return fingerprintOf(parseRunConfig({ model: 'bert', data, output: 'run', training }, 'test'), ['a'], []);
};

it('a run may be resumed with settings that change no step', () => {
  const own = fingerprint({});
  expect(fingerprint({ gradient_checkpointing: true })).toBe(own);
  expect(fingerprint({ logging_steps: 3, save_steps: 7 })).toBe(own);
  expect(fingerprint({ gradient_accumulation_steps: 2 })).not.toBe(own);
});
