import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { batched } from '../../../support/arrays.ts';
import type { Call, Cancel, Reply } from '../../../support/calls/call.ts';
import { importModules } from '../../../support/node/process-status.ts';
import { fileError } from '../../../support/user-error.ts';
import type { DecodingLimits } from '../decoding/decoding-loop.ts';
import type { EngineRun } from '../engine-run.ts';
import type { BatchLimits } from '../rows/row-batcher.ts';
import { answerService } from '../service/answer-service.ts';
import { LocalService } from '../service/local-service.ts';
import { type PlainError, plainError } from '../service/plain-error.ts';
import type { ModelCard, Service } from '../service/service.ts';
import { Serving } from '../serving.ts';
import { AdapterFolders, type FolderEvent } from './adapter-folders.ts';
import { AdapterReader } from './adapter-reader.ts';
import { BaseFolder } from './base-folder.ts';
import { servedBase } from './served-adapter.ts';

/** The thread's input. */
export interface ServingJob {
  folders: readonly string[];
  /** The base model: a folder, or an id on the Hub. */
  model: string;
  baseDtype: BaseDtype;
  limits: BatchLimits & DecodingLimits & { slots?: number; maxPixels?: number };
  /** Modules that define methods and tasks. */
  modules: readonly string[];
}

/** Messages to the thread. Simultaneous calls share a message, because each message has a cost. */
export type ServingCalls = (Call | Cancel)[];

/** Messages from the thread. */
export type ServingMessage =
  | { replies: Reply[] }
  | { progress: DownloadProgress }
  | { event: FolderEvent }
  | { run: EngineRun }
  | { ready: { model: string; models: number; names: string[]; input: ModelCard['input'] } }
  | { failure: PlainError };

const { folders, model, baseDtype, limits, modules } = workerData as ServingJob;
const parent = parentPort as MessagePort;
const send = (message: ServingMessage) => parent.postMessage(message);

try {
  await importModules({ modules });
  const base = await BaseFolder.open(model, baseDtype, (progress) => send({ progress }));
  const onRun = (run: EngineRun) => send({ run });
  const serving = new Serving(base, {
    rows: { ...limits, batches: base.batches, onBatch: onRun },
    decoding: { ...limits, onRun },
  });
  const reading = { folder: base.folder, model, baseDtype, modules };
  // Requests wait for known adapters, so these do not wait for new ones.
  const [newOnes, known] = [new AdapterReader(reading, base.bytes), new AdapterReader(reading, base.bytes)];
  const adapters = new AdapterFolders(
    folders,
    base,
    serving,
    (event) => send({ event }),
    (adapter, isKnown) => (isKnown ? known : newOnes).read(adapter),
  );
  const served = await servedBase(base);
  if (served) await serving.add(served);
  await adapters.readAll();
  await serving.open();
  const local = new LocalService(serving, adapters, limits.maxPixels);
  const service: Service = Object.assign(local, {
    async close() {
      await LocalService.prototype.close.call(local);
      for (const reader of [newOnes, known]) reader.close();
      // The port no longer keeps the thread alive. The thread ends when pending work has ended.
      parent.unref();
    },
  });
  answerService(service, {
    send: batched((replies) => send({ replies: replies as Reply[] }), setImmediate),
    onMessage: (listener) => parent.on('message', (calls: ServingCalls) => calls.forEach(listener)),
  });
  const names = [...serving.models.keys()];
  const input = base.described.family.config.picture ? 'image' : 'text';
  send({ ready: { model: base.name, models: names.length, names, input } });
  adapters.watch();
} catch (error) {
  send({ failure: plainError(fileError(error) ?? error) });
}
