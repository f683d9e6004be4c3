import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { answerCalls } from '../../../../support/calls/answer-calls.ts';
import { importModules } from '../../../../support/node/process-status.ts';
import { failureOf, fileError } from '../../../../support/user-error.ts';
import { open } from '../open.ts';
import type { ModelJob, ModelMessage } from './model-job.ts';
import { ModelService } from './model-service.ts';

const { path, options } = workerData as ModelJob;
const parent = parentPort as MessagePort;
const send = (message: ModelMessage) => parent.postMessage(message);
const plain = (error: unknown) => failureOf(fileError(error) ?? (error as Error));

try {
  await importModules(workerData);
  const model = await open(path, {
    ...options,
    onProgress: (progress) => send({ progress }),
    onNotice: (notice) => send({ notice }),
  });
  // process.exit ends only this thread. The port is not closed instead, because Deno's port has no `close`.
  const service = new ModelService(model, () => process.exit());
  answerCalls(
    (call, answering) => service.answer(call, answering),
    {
      send: (message) => parent.postMessage(message),
      onMessage: (listener) => parent.on('message', listener),
    },
    plain,
  );
  send({ ready: service.card });
} catch (error) {
  send({ failure: plain(error) });
}
