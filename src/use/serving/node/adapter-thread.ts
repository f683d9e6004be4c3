import { workerData } from 'node:worker_threads';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { Moved } from '../../../support/calls/answer-calls.ts';
import { importModules } from '../../../support/import-modules.ts';
import { answerParent } from '../../../support/node/threads.ts';
import { SERVICE_ERRORS } from '../service/service-errors.ts';
import { BaseFolder } from './base-folder.ts';
import type { FoundAdapter } from './find-adapters.ts';
import { readContent } from './read-adapter.ts';

/** The thread's input: the base model of the adapters. */
export interface ReaderJob {
  folder: string;
  model: string;
  baseDtype: BaseDtype;
  modules: readonly string[];
}

const { folder, model, baseDtype } = workerData as ReaderJob;
const opened = importModules(workerData).then(() => BaseFolder.at(folder, model, baseDtype));

const reader = {
  async read(adapter: FoundAdapter): Promise<Moved> {
    const content = await readContent(adapter, await opened);
    const tensors = [...content.stored.tensors.values()];
    return new Moved(
      content,
      tensors.map(({ data }) => data.buffer as ArrayBuffer),
    );
  },
};

answerParent(reader, ['read'], { classes: SERVICE_ERRORS });
