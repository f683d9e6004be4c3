import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { BaseDtype } from '../../bases/base-dtype.ts';
import type { DownloadProgress } from '../../formats/download-progress.ts';
import { batched } from '../../support/batched.ts';
import type { Call, Cancel, Reply } from '../../support/calls/call.ts';
import { fileError } from '../../support/file-error.ts';
import { importModules } from '../../support/node/import-modules.ts';
import type { DecodingLimits } from '../decoding/decoding-loop.ts';
import type { EngineRun } from '../engine-run.ts';
import type { BatchLimits } from '../rows/row-batcher.ts';
import { answerService } from '../service/answer-service.ts';
import { LocalService } from '../service/local-service.ts';
import { type PlainError, plainError } from '../service/plain-error.ts';
import type { Service } from '../service/service.ts';
import { Serving } from '../serving.ts';
import { AdapterFolders, type FolderEvent } from './adapter-folders.ts';
import { BaseFolder } from './base-folder.ts';
import { servedBase } from './served-adapter.ts';

/** The thread's input. */
export interface ServingJob {
  folders: readonly string[];
  /** The base model: a folder, or an id on the Hub. */
  model: string;
  baseDtype: BaseDtype;
  limits: BatchLimits & DecodingLimits & { slots?: number };
}

/** Messages to the thread. Simultaneous calls share a message, because each message has a cost. */
export type ServingCalls = (Call | Cancel)[];

/** Messages from the thread. */
export type ServingMessage =
  | { replies: Reply[] }
  | { progress: DownloadProgress }
  | { event: FolderEvent }
  | { run: EngineRun }
  | { ready: { model: string; models: number } }
  | { failure: PlainError };

const { folders, model, baseDtype, limits } = workerData as ServingJob;
const parent = parentPort as MessagePort;
const send = (message: ServingMessage) => parent.postMessage(message);

try {
  await importModules(workerData);
  const base = await BaseFolder.open(model, baseDtype, (progress) => send({ progress }));
  const onRun = (run: EngineRun) => send({ run });
  const serving = new Serving(base, {
    rows: { ...limits, padId: base.padId, onBatch: onRun },
    decoding: { ...limits, onRun },
  });
  const adapters = new AdapterFolders(folders, base, serving, (event) => send({ event }));
  const served = await servedBase(base);
  if (served) await serving.add(served);
  await adapters.readAll();
  await serving.open();
  const local = new LocalService(serving, adapters);
  const service: Service = Object.assign(local, {
    async close() {
      await LocalService.prototype.close.call(local);
      // The port no longer keeps the thread alive. The thread ends when pending work has ended.
      parent.unref();
    },
  });
  answerService(service, {
    send: batched((replies) => send({ replies: replies as Reply[] }), setImmediate),
    onMessage: (listener) => parent.on('message', (calls: ServingCalls) => calls.forEach(listener)),
  });
  send({ ready: { model: base.name, models: serving.models.size } });
  adapters.watch();
} catch (error) {
  send({ failure: plainError(fileError(error) ?? error) });
}
