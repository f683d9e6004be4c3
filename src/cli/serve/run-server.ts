import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { readAdapter } from '../../formats/adapters/node/adapter-folder.ts';
import { missingFile } from '../../formats/node/missing-file.ts';
import { AdapterFolders, type FolderEvent } from '../../serving/node/adapter-folders.ts';
import { BaseFolder } from '../../serving/node/base-folder.ts';
import { type FoundAdapter, findAdapters } from '../../serving/node/find-adapters.ts';
import { baseOfRun, servedBase } from '../../serving/node/served-adapter.ts';
import { LocalService } from '../../serving/service/local-service.ts';
import { Serving } from '../../serving/serving.ts';
import { UserError } from '../../support/user-error.ts';
import type { ServeFlags } from '../commands/serve.ts';
import { stopOnSignal } from '../stop-on-signal.ts';
import { downloadDisplay } from '../terminal/download-display.ts';
import { serveApp } from './serve-app.ts';
import { ServerMetrics } from './server-metrics.ts';
import { startServer } from './start-server.ts';

/** How long requests that are under way may still take when the server is stopped. */
const DRAIN_SECONDS = 30;
/** Requests at a time: beyond what waits for the engine there are those that are read and written. */
const MORE_REQUESTS = 512;

/** Serves the adapters of folders until a signal stops it. */
export async function runServer(folders: readonly string[], flags: ServeFlags): Promise<void> {
  for (const folder of folders) checkFolder(folder);
  const apiKey = keyOf(flags.apiKeyEnv);
  const name = flags.model ?? (await namedBase(folders));
  const base = await BaseFolder.open(name, flags.baseDtype ?? 'float32', downloadDisplay(process.stderr));
  const metrics = new ServerMetrics();
  const limits = { slots: flags.slots, maxRows: flags.maxBatch, maxQueued: flags.maxQueue };
  const serving = new Serving(base, {
    rows: {
      ...{ ...limits, maxTokens: flags.maxBatchTokens, maxWait: flags.maxWait, padId: base.tokenizer.padId },
      onBatch: (run) => metrics.ran(run),
    },
    decoding: { ...limits, onRun: (run) => metrics.ran(run) },
  });
  const adapters = new AdapterFolders(folders, base, serving, (event) => log(lineOf(event)));
  const own = servedBase(base);
  if (own) await serving.add(own);
  await adapters.readAll();
  await serving.open();

  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const { app, drain } = serveApp(new LocalService(serving, adapters), {
    ...{ metrics, apiKey, version, log },
    allowLoading: flags.allowLoading ?? false,
    maxBody: flags.maxBody,
    maxRequests: flags.maxQueue + MORE_REQUESTS,
    maxSeconds: flags.timeout,
    onFault: (error) => console.error(error),
  });
  const { server, url } = await startServer(app, flags.host, flags.port);
  log({ time: now(), event: 'listening', url, model: base.name, models: serving.models.size });
  adapters.watch();

  const stop = stopOnSignal(() => log({ time: now(), event: 'stopping' }));
  await once(stop.signal, 'abort');
  adapters.close();
  await drain(DRAIN_SECONDS);
  server.close();
  server.closeIdleConnections();
  await serving.close();
  base.close();
  stop.release();
  log({ time: now(), event: 'stopped' });
}

function checkFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats) throw missingFile(folder, 'a folder of adapters');
  if (stats.isDirectory()) return;
  throw new UserError({ where: folder, expected: 'a folder of adapters', got: 'a file' });
}

function keyOf(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const key = process.env[variable];
  if (key) return key;
  throw new UserError({ where: `--api-key-env ${variable}`, expected: 'a variable with a key', got: 'none' });
}

/** The base model that the first adapter names that can be read. */
async function namedBase(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    for (const found of await findAdapters(folder)) {
      const named = baseNameOf(found);
      if (named) return named;
    }
  }
  throw new UserError({
    where: folders.join(', '),
    expected: 'an adapter that names its base model',
    got: 'none',
    hint: 'Give --model.',
  });
}

/** Undefined for an adapter that is damaged: it is named when all are read. */
function baseNameOf({ folder, run }: FoundAdapter): string | null | undefined {
  try {
    return (run && baseOfRun(run)) ?? readAdapter(folder).baseModel;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function lineOf(event: FolderEvent): object {
  const { type, ...rest } = event;
  return { time: now(), event: type, ...rest };
}

function now(): string {
  return new Date().toISOString();
}

function log(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
