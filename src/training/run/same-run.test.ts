import { expect, it } from 'vitest';
import { fingerprintOf } from './checkpoint.ts';
import { parseRunConfig } from './config/parse-run-config.ts';

const fingerprint = (training: object, more: object = {}) => {
  const data = { train: 'train.tsv', text: 'sentence', label: 'label' };
  return fingerprintOf(
    parseRunConfig(
      { defaults: 'huggingface', model: 'bert', data, output: 'run', training, ...more },
      'test',
    ),
    ['a'],
    [],
  );
};

it('the order of keys does not matter', () => {
  expect(fingerprint({ weight_decay: 0.1, adam_beta1: 0.8 })).toBe(
    fingerprint({ adam_beta1: 0.8, weight_decay: 0.1 }),
  );
  const pattern = (rank_pattern: object) => fingerprint({}, { method: 'lora', lora: { rank_pattern } });
  expect(pattern({ query: 2, value: 3 })).toBe(pattern({ value: 3, query: 2 }));
});

it('a key that is undefined is not set', () => {
  expect(fingerprint({}, { adapter: undefined })).toBe(fingerprint({}));
});

it('a run may be resumed with settings that change no step', () => {
  const own = fingerprint({});
  expect(fingerprint({ gradient_checkpointing: true })).toBe(own);
  expect(fingerprint({ logging_steps: 3, save_steps: 7 })).toBe(own);
  expect(fingerprint({ gradient_accumulation_steps: 2 })).not.toBe(own);
});
