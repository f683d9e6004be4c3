import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { fingerprintSettings } from '../config/fingerprint-settings.ts';
import { parseRunConfig } from '../config/parse-run-config.ts';
import type { RunConfig } from '../config/run-config.ts';
import { fingerprintOf } from '../same-run.ts';
import { assertOwnCheckpoint } from './own-checkpoint.ts';
import { runFiles } from './run-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LABELS = ['a', 'b'];
const DIGESTS = ['0123'];

function configOf(data: object = {}, more: object = {}): RunConfig {
  const given = {
    model: 'bert',
    data: { train: 'train.tsv', text: 0, label: 1, ...data },
    output: folder,
    ...more,
  };
  return parseRunConfig({ defaults: 'huggingface', ...given }, 'test');
}

/** Writes config.yaml like a version that lacks some keys. Returns the fingerprint of that version's checkpoints. */
function startedWithout(config: RunConfig, ...keys: string[]): string {
  const { defaults: _, training, data, ...rest } = config;
  const without = (section: object, name: string) =>
    Object.fromEntries(Object.entries(section).filter(([key]) => !keys.includes(`${name}.${key}`)));
  const written = { ...rest, data: without(data, 'data'), training: without(training, 'training') };
  mkdirSync(folder, { recursive: true });
  writeFileSync(runFiles(folder).config, stringify(written));
  const known = [...fingerprintSettings(config).keys()].filter((key) => !keys.includes(key));
  return fingerprintOf(config, LABELS, DIGESTS, new Set(known));
}

const resume = (fingerprint: string, config: RunConfig, files: string[] = []) =>
  assertOwnCheckpoint(fingerprint, { config, labels: LABELS, digests: DIGESTS, files }, runFiles(folder));

it('resumes a run that was started before a key existed, if it has its default', () => {
  const config = configOf();
  const fingerprint = startedWithout(config, 'training.label_smoothing_factor');
  expect(fingerprint).not.toBe(fingerprintOf(config, LABELS, DIGESTS));
  resume(fingerprint, config);
  expect(() => resume(fingerprint, configOf({}, { training: { label_smoothing_factor: 0.1 } }))).toThrow(
    'training.label_smoothing_factor is 0.1 (was 0)',
  );
  expect(() => resume(fingerprint, configOf({}, { seed: 3 }))).toThrow('seed is 3 (was 0)');
  expect(() => resume('other', config)).toThrow('other content in the data files');
});

it('says that an earlier version held out other rows', () => {
  const config = configOf({ validation: '25%' });
  expect(() => resume(startedWithout(config), config)).toThrow(
    'was started by an earlier version, which held out other rows for data.validation: 25%. Resume it with that version,',
  );
});

it('says that an earlier version identified large files in another way', () => {
  const config = configOf();
  startedWithout(config);
  const large = join(folder, 'model.safetensors');
  writeFileSync(large, '');
  truncateSync(large, 2 ** 27 + 1);
  expect(() => resume('other', config, [large])).toThrow(
    `was started by an earlier version, which identified files above 128 MB, such as ${large}, in another way.`,
  );
  writeFileSync(runFiles(folder).config, stringify(config));
  expect(() => resume('other', config, [large])).toThrow('other content in the data files');
});

it('does without a config.yaml if the fingerprint is right', () => {
  const config = configOf();
  expect(() => resume('other', config)).toThrow('other content in the config or the data files');
  resume(fingerprintOf(config, LABELS, DIGESTS), config);
  writeFileSync(runFiles(folder).config, '{');
  resume(fingerprintOf(config, LABELS, DIGESTS), config);
});
