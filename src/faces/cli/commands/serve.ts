import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { readAdapterIn } from '../../../input/formats/adapters/read-stored-adapter.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { mediumNamed } from '../../../input/media/media.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import type { CalledThread } from '../../../support/calls/caller.ts';
import { programVersion } from '../../../support/node/process-status.ts';
import { batched } from '../../../support/queue.ts';
import { UserError } from '../../../support/user-error.ts';
import { definingModules } from '../../../tasks/define-task.ts';
import { type FoundAdapter, findAdapters } from '../../../use/serving/find-adapters.ts';
import { startServingThread } from '../../../use/serving/node/start-serving.ts';
import { SERVICE_METHODS, type ServedCard, type Service } from '../../../use/serving/service/service.ts';
import type { ServingJob, ServingListener } from '../../../use/serving/serving-thread.ts';
import { readRunBase } from '../../../use/trained/locate-trained.ts';
import { isLoopbackHost, listen, TIMEOUTS } from '../../servers/http/listen.ts';
import type { ServeApp } from '../../servers/serve/request-scope.ts';
import { serveApp } from '../../servers/serve/serve-app.ts';
import { ServerMetrics } from '../../servers/serve/server-metrics.ts';
import { stopOnSignal } from '../stop-on-signal.ts';
import { downloadDisplay } from '../terminal/download-display.ts';

interface ServeFlags {
  model?: string;
  host: string;
  port?: number;
  apiKeyEnv?: string;
  baseDtype?: BaseDtype;
  allowLoading?: boolean;
  cors: string[];
  slots?: number;
  maxBatch: number;
  maxQueue: number;
}

/**
 * How long the server may take to stop, and the part of it for pending requests, in seconds. Container platforms kill a
 * process after 30 seconds.
 */
const GRACE = { seconds: 28, requests: 18 };
/** The port of most examples of HTTP servers. */
const PORT = 8080;
/** Maximum bytes of a request's body with texts. */
const MAX_TEXT_BODY = 2 ** 21;
/** Tokens per batch. */
const MAX_BATCH_TOKENS = 8192;
/** Longest time in which a row waits for others of its batch. */
const MAX_WAIT_MS = 2;
/** Time limit of a request. */
const MAX_SECONDS = 300;
/** Maximum concurrent requests in addition to those that wait for the engine: they are being read or answered. */
const MORE_REQUESTS = 512;

/** Serves the adapters of folders until a signal stops it. */
export default async function run(folders: readonly string[], flags: ServeFlags): Promise<void> {
  for (const folder of folders) checkFolder(folder);
  const apiKey = readKey(flags.apiKeyEnv);
  const model = flags.model ?? (await namedBase(folders));
  const metrics = new ServerMetrics();
  const display = downloadDisplay(process.stderr);
  const failed = new AbortController();
  const { service, ...served } = await startServing(
    startServingThread(),
    {
      folders,
      model,
      baseDtype: flags.baseDtype ?? 'float32',
      limits: {
        slots: flags.slots,
        maxRows: flags.maxBatch,
        maxTokens: MAX_BATCH_TOKENS,
        maxWait: MAX_WAIT_MS,
        maxQueued: flags.maxQueue,
      },
    },
    {
      onProgress: display,
      onEvent: ({ type, ...facts }) => log(type, facts),
      onRun: (run) => metrics.ran(run),
      onFault: (error) => failed.abort(error),
    },
  );

  let late: NodeJS.Timeout | undefined;
  try {
    const { app, drain } = serveApp(service, {
      metrics,
      apiKey,
      isLocal: apiKey === undefined && isLoopbackHost(flags.host),
      version: programVersion(),
      log: batched(writeLines, setImmediate),
      allowLoading: flags.allowLoading ?? false,
      origins: flags.cors,
      maxBody: mediumNamed(served.input)?.request.maxBody ?? MAX_TEXT_BODY,
      maxRequests: flags.maxQueue + MORE_REQUESTS,
      maxSeconds: MAX_SECONDS,
      onFault: (error) => console.error(error),
    });
    const { server, url } = await startServer(app, flags.host, flags.port ?? PORT);
    const stop = stopOnSignal(() => log('stopping'));
    const { model: base, names } = served;
    log('listening', { url, model: base, models: names.length, names });
    // If the engine's thread fails, the server cannot continue.
    const end = AbortSignal.any([stop.signal, failed.signal]);
    if (!end.aborted) await once(end, 'abort');
    // A thread that waits for a disk cannot be ended from here, but the process can.
    late = setTimeout(() => {
      log('stopped', { note: 'a thread did not end' });
      stop.release();
      process.kill(process.pid, 'SIGTERM');
    }, 1000 * GRACE.seconds);
    await drain(GRACE.requests);
    server.close();
    // Some connections have sent no complete request, or do not read their response. They would keep the
    // process alive.
    server.closeAllConnections();
    stop.release();
  } finally {
    // The service of a failed thread cannot be closed. Its error ends this process, without a wait.
    await service.close().finally(() => clearTimeout(late));
  }
  log('stopped');
}

function checkFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats) throw disk.missing(folder, 'a folder of adapters');
  if (stats.isDirectory()) return;
  throw new UserError({ where: folder, fault: 'is a file. Pass a folder of adapters' });
}

function readKey(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const key = process.env[variable];
  if (key) return key;
  throw new UserError({
    where: `--api-key-env ${variable}`,
    fault: 'names an environment variable that is not set',
  });
}

/** The base model that the first readable adapter names. */
async function namedBase(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    for (const adapter of findAdapters(disk, folder)) {
      const named = await readBaseName(adapter);
      if (named) return named;
    }
  }
  throw new UserError({
    where: folders.join(', '),
    fault: 'has no adapter that names its base model',
    hint: 'Pass --model.',
  });
}

/**
 * The base model that an adapter names. Undefined for a damaged adapter, which is reported when all adapters
 * are read.
 */
async function readBaseName({ folder, run }: FoundAdapter): Promise<string | null | undefined> {
  try {
    return (run && readRunBase(disk.within(run))) ?? (await readAdapterIn(disk, folder)).baseModel;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function log(event: string, facts: object = {}): void {
  writeLines([{ time: new Date().toISOString(), event, ...facts }]);
}

/** Writes all lines at once, because each write to a pipe may block. */
function writeLines(lines: readonly object[]): void {
  process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Starts listening with an app. Throws a UserError if the port or the host is not available. */
export async function startServer(
  app: ServeApp,
  host: string,
  port: number,
): Promise<{ server: Server; url: string }> {
  const options = { fetch: app.fetch, hostname: host, serverOptions: TIMEOUTS };
  const server = createAdaptorServer(options) as Server;
  const at = await listen(server, port, 'Choose another with --port, or 0 for any.', host);
  return { server, url: `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}` };
}

/** The time for pending computations when the service is closed. Afterwards, the thread is terminated. */
const END_SECONDS = 8;

interface StartedServing {
  service: Service;
  /** Name of the base model. */
  model: string;
  /** Names of the served models. The base is one of them if it is served. */
  names: string[];
  /** The kind of their inputs. */
  input: ServedCard['input'];
}

/**
 * Serves the adapters of folders from a separate thread. The engine blocks its thread while it computes, so the
 * caller's event loop stays free.
 *
 * @param thread answers `SERVING_METHODS`
 * @param onFault called when the thread has failed and no longer answers
 * @throws UserError for a base or folders that cannot be opened
 */
function startServing(
  { worker, caller, ended }: CalledThread,
  job: Omit<ServingJob, 'modules'>,
  { onFault, ...listener }: Omit<ServingListener, 'onReady'> & { onFault(error: Error): void },
): Promise<StartedServing> {
  const methods = caller.remote<Service>(SERVICE_METHODS);
  let isClosed = false;
  async function close(): Promise<void> {
    isClosed = true;
    // The thread ends by itself, because terminating it while the engine runs may crash the process.
    let isTerminated = false;
    const late = setTimeout(() => {
      isTerminated = true;
      void worker.terminate();
    }, 1000 * END_SECONDS);
    try {
      await methods.close();
    } catch (error) {
      if (!isTerminated) throw error;
    } finally {
      await ended;
      clearTimeout(late);
    }
  }
  return new Promise((resolve, reject) => {
    let isReady = false;
    const onReady: ServingListener['onReady'] = (opened) => {
      isReady = true;
      resolve({ service: { ...methods, close }, ...opened });
    };
    const given: ServingJob = { ...job, modules: definingModules() };
    caller.call('serve', [given, { ...listener, onReady }]).catch((error: Error) => {
      if (!isReady) void worker.terminate();
      else if (!isClosed) onFault(error);
      reject(error);
    });
  });
}
