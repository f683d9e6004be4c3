import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { importModules } from '../../../support/node/process-status.ts';
import { fileError } from '../../../support/user-error.ts';
import { type PlainError, plainError } from '../service/plain-error.ts';
import { BaseFolder } from './base-folder.ts';
import type { FoundAdapter } from './find-adapters.ts';
import { type AdapterContent, readContent } from './read-adapter.ts';

/** The thread's input: the base model of the adapters. */
export interface ReaderJob {
  folder: string;
  model: string;
  baseDtype: BaseDtype;
  modules: readonly string[];
}

/** The thread's answer to a {@link FoundAdapter}. */
export type ReaderMessage = { content: AdapterContent } | { failure: PlainError };

const { folder, model, baseDtype } = workerData as ReaderJob;
const parent = parentPort as MessagePort;
const opened = importModules(workerData).then(() => BaseFolder.at(folder, model, baseDtype));

parent.on('message', async (adapter: FoundAdapter) => {
  try {
    const content = await readContent(adapter, await opened);
    const buffers = new Set(
      [...content.stored.tensors.values()].map(({ data }) => data.buffer as ArrayBuffer),
    );
    parent.postMessage({ content } satisfies ReaderMessage, [...buffers]);
  } catch (error) {
    parent.postMessage({ failure: plainError(fileError(error) ?? error) } satisfies ReaderMessage);
  }
});
