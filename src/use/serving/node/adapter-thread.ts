import { workerData } from 'node:worker_threads';
import { Moved } from '../../../support/calls/answer-calls.ts';
import { importModules } from '../../../support/import-modules.ts';
import { answerParent } from '../../../support/node/threads.ts';
import { models } from '../../trained/node/load-model.ts';
import type { FoundAdapter } from '../find-adapters.ts';
import { readContent } from '../served-adapter.ts';
import { BaseModel } from '../served-base.ts';
import { SERVICE_ERRORS } from '../service/service-errors.ts';
import type { ReaderJob } from '../serving-thread.ts';

const { folder, model, baseDtype } = workerData as ReaderJob;
const opened = importModules(workerData).then(() => BaseModel.at(models, folder, model, baseDtype));

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
