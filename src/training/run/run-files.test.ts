import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { folderFiles } from '../../input/formats/node/folder-files.ts';
import { fingerprintOf } from './checkpoint.ts';
import { parseRunConfig } from './config/parse-run-config.ts';
import type { RunConfig } from './config/run-config.ts';
import { assertOwnCheckpoint, RUN_FILES } from './run-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LABELS = ['a', 'b'];
const DIGESTS = ['0123'];

function configOf(more: object = {}): RunConfig {
  const given = {
    model: 'bert',
    data: { train: 'train.tsv', text: 0, label: 1 },
    output: folder,
    ...more,
  };
  return parseRunConfig({ defaults: 'huggingface', ...given }, 'test');
}

const resume = (fingerprint: string, config: RunConfig) =>
  assertOwnCheckpoint(fingerprint, { config, labels: LABELS, digests: DIGESTS }, folderFiles(folder));

it('names the settings that differ', () => {
  const config = configOf();
  writeFileSync(join(folder, RUN_FILES.config), stringify(config));
  const fingerprint = fingerprintOf(config, LABELS, DIGESTS);
  resume(fingerprint, config);
  expect(() => resume(fingerprint, configOf({ seed: 3 }))).toThrow('seed is 3 (was 0)');
  expect(() => resume('other', config)).toThrow('other content in the data files');
});

it('does without a config.yaml if the fingerprint is right', () => {
  const config = configOf();
  expect(() => resume('other', config)).toThrow('other content in the config or the data files');
  resume(fingerprintOf(config, LABELS, DIGESTS), config);
  writeFileSync(join(folder, RUN_FILES.config), '{');
  resume(fingerprintOf(config, LABELS, DIGESTS), config);
});
