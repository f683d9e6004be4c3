import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type HostedModel, type HubServer, startHubServer } from '../../../../tests/support/hub-server.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { hub } from '../../hub/node/resolve-model.ts';
import { openDataFiles } from '../node/text-files.ts';
import { resolveSplit } from './resolve-dataset.ts';

const NAME = 'nyu-mll/glue';
const PARQUET = readFileSync(new URL('../parquet/fixtures/rows-snappy.parquet', import.meta.url));
const CARD = Buffer.from(`---
configs:
- config_name: cola
  data_files:
  - {split: train, path: cola/train-*}
  - {split: test, path: cola/test-*}
dataset_info:
- config_name: cola
  features:
  - {name: label, dtype: {class_label: {names: {'0': bad, '1': good}}}}
---
`);
const files = {
  'README.md': CARD,
  'cola/train-00000-of-00001.parquet': PARQUET,
  'cola/test-00000-of-00001.parquet': PARQUET,
};

let folder: string;
let server: HubServer | undefined;
beforeEach(() => {
  folder = newFolder();
  for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_TOKEN']) vi.stubEnv(name, '');
  vi.stubEnv('HF_HUB_CACHE', join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
});

async function serve(served: Partial<HostedModel> = {}): Promise<HubServer> {
  const model = { name: NAME, type: 'dataset' as const, commit: 'c'.repeat(40), files, ...served };
  server = await startHubServer({ large: ['cola/train-00000-of-00001.parquet'], ...model });
  vi.stubEnv('HF_ENDPOINT', server.endpoint);
  return server;
}

it('downloads a split into the cache with progress, and reads it from there without the network', async () => {
  const { requests, close } = await serve();
  const progress: string[] = [];
  const source = { dataset: NAME, subset: 'cola' };
  const [file] = await openDataFiles(source, 'train', false, ({ file }) => progress.push(file));
  const snapshot = join(folder, 'cache/datasets--nyu-mll--glue/snapshots', 'c'.repeat(40));
  expect(file!.name).toBe(join(snapshot, 'cola/train-00000-of-00001.parquet'));
  expect(progress).toContain('cola/train-00000-of-00001.parquet');
  // Class names in the card override those in the file.
  expect(file!.classes).toMatchObject({ label: ['bad', 'good'] });
  expect(JSON.parse(file!.read().split('\n')[0]!)).toMatchObject({ sentence: 'The cat sat.', label: 'good' });
  expect(existsSync(join(snapshot, 'cola/test-00000-of-00001.parquet'))).toBe(false);

  const asked = requests.length;
  await close();
  server = undefined;
  expect((await openDataFiles(source, 'train', false))[0]!.read()).toBe(file!.read());
  expect(requests).toHaveLength(asked);
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  await expect(openDataFiles(source, 'test', false)).rejects.toThrow(
    'cache, and downloads are off (offline). Unset HF_HUB_OFFLINE to download it.',
  );
});

it("uses the Hub's parquet of datasets with a script", async () => {
  const converted = { commit: 'd'.repeat(40), files: { 'cola/train/0000.parquet': PARQUET } };
  await serve({ files: { 'glue.py': Buffer.from('') }, branches: { 'refs/convert/parquet': converted } });
  const { paths } = await resolveSplit(hub, { dataset: NAME, subset: 'cola', split: 'train' });
  expect(paths).toEqual([expect.stringContaining(`${'d'.repeat(40)}/cola/train/0000.parquet`)]);
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  expect((await resolveSplit(hub, { dataset: NAME, subset: 'cola', split: 'train' })).paths).toEqual(paths);
});

it('lists what exists, and reports errors', async () => {
  await serve({ files: { ...files, 'README.md': Buffer.from('') } });
  await expect(resolveSplit(hub, { dataset: NAME, split: 'train' })).rejects.toThrow('Its subsets: cola.');
  await expect(resolveSplit(hub, { dataset: 'other/name', split: 'train' })).rejects.toThrow(
    'nor a dataset on',
  );
  await expect(resolveSplit(hub, { dataset: '../x', split: 'train' })).rejects.toThrow(
    '`data.dataset` must be a dataset on the Hub, such as owner/name, got "../x".',
  );
  await server?.close();
  await serve({ files: { '../../evil.parquet': PARQUET } });
  await expect(resolveSplit(hub, { dataset: NAME, split: 'train' })).rejects.toThrow(
    'which is outside the repository',
  );
});
