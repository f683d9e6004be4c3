import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type HubServer, startHubServer } from './hub-server.ts';
import type { Workspace } from './workspace.ts';
import { type Kind, launcherOf } from './writers.ts';

const MODEL = 'owner/tiny';
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
const ADAPTER = 'adapter_model.safetensors';

/** Serves a workspace's model as a Hub. */
export function serveModel(workspace: Workspace): Promise<HubServer> {
  const files = Object.fromEntries(FILES.map((name) => [name, workspace.read('model', name)]));
  return startHubServer({ name: MODEL, commit: 'c'.repeat(40), files, large: ['model.safetensors'] });
}

/** Settings of a short run over an int8 base. The model must be downloaded and the base made. */
export const settings = (output: string, model = MODEL) =>
  [
    ...['training.max_steps=3', 'method=lora', 'base_dtype=int8', `model=${model}`, `output=${output}`],
    'data.validation=dev.tsv',
  ].flatMap((setting) => ['--set', setting]);

/** A program with two calls in one process, which train in separate threads. */
const BOTH = `
const { loadConfig } = await import(process.env.LOAD_CONFIG);
const { train } = await import(process.env.TRAIN);
const settings = JSON.parse(process.env.SETTINGS);
await Promise.all(settings.map((own) => train(loadConfig('run.yaml', own.filter((word) => word !== '--set')))));`;

/**
 * Starts two runs together, with one empty cache for downloads and for bases.
 *
 * @param kinds how each runs; two threads are in one process
 * @param whole the run that both must equal
 * @returns the differences
 */
export async function coldPair(
  workspace: Workspace,
  server: HubServer,
  name: string,
  kinds: [Kind, Kind],
  whole: string,
): Promise<string[]> {
  const caches = `${name}-caches`;
  const env = {
    HF_HUB_OFFLINE: '0',
    HF_ENDPOINT: server.endpoint,
    HF_HUB_CACHE: workspace.path(caches, 'hub'),
    ADALORA_CACHE: workspace.path(caches, 'bases'),
  };
  const outputs = [`${name}-a`, `${name}-b`];
  const built = (path: string) => pathToFileURL(resolve('dist', path)).href;
  workspace.write('both.mjs', BOTH);
  const ends =
    kinds[0] === 'thread'
      ? [
          workspace.start([], {
            env: {
              ...env,
              SETTINGS: JSON.stringify(outputs.map((output) => settings(output))),
              LOAD_CONFIG: built('faces/cli/load-config.js'),
              TRAIN: built('index.js'),
            },
            launcher: [process.execPath, workspace.path('both.mjs')],
          }).ended,
        ]
      : kinds.map((kind, i) => {
          const launcher = launcherOf(kind as Exclude<Kind, 'thread'>);
          return workspace.start(['train', 'run.yaml', ...settings(outputs[i]!)], { env, launcher }).ended;
        });
  const failed = (await Promise.all(ends)).flatMap(({ code, stderr }) => (code === 0 ? [] : [stderr]));
  if (failed.length > 0) return failed;
  const adapter = (run: string) => workspace.read(run, 'adapter', ADAPTER);
  const other = outputs.filter((run) => !adapter(run).equals(adapter(whole)));
  const left = readdirSync(workspace.path(caches), { recursive: true, encoding: 'utf8' });
  const digest = createHash('sha256').update(workspace.read('model', 'model.safetensors')).digest('hex');
  const blob = left.find((path) => path.endsWith(`blobs/${digest}`));
  const isWhole =
    blob !== undefined && workspace.read(caches, blob).equals(workspace.read('model', 'model.safetensors'));
  return [
    ...other.map((run) => `${run} has another adapter than ${whole}`),
    ...left.filter((path) => path.endsWith('.tmp')).map((path) => `${path} was left`),
    ...(isWhole ? [] : ['the weights in the cache are others']),
  ];
}
