import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { filesInMemory } from '../../../tests/support/files-in-memory.ts';
import { parseRunConfig } from './config/parse-run-config.ts';
import type { RunConfig } from './config/run-config.ts';
import { otherRun, RUN_FILES } from './run-files.ts';

function configOf(more: object = {}): RunConfig {
  const given = {
    model: 'bert',
    data: { train: 'train.tsv', text: 0, label: 1 },
    output: 'run',
    ...more,
  };
  return parseRunConfig({ defaults: 'huggingface', ...given }, 'test');
}

it('names the settings that differ from those of the run in a folder', () => {
  const config = configOf();
  const folder = filesInMemory();
  folder.write(RUN_FILES.config, stringify(config));
  expect(otherRun(configOf({ seed: 3 }), folder).message).toContain('seed is 3 (was 0)');
  expect(otherRun(config, folder).message).toContain('other content in the data files');
});

it('names what may differ from a run without a config.yaml', () => {
  expect(otherRun(configOf(), filesInMemory()).message).toContain(
    'other content in the config or the data files',
  );
});
