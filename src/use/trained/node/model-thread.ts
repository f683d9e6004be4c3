import { answerParent } from '../../../support/node/threads.ts';
import { MODEL_METHODS } from '../thread/model-in-thread.ts';
import { ModelService } from '../thread/model-service.ts';
import { open } from './open.ts';

const thread = {
  open,
  nextTurn: () => new Promise<void>(setImmediate),
  // It ends only this thread. The port is not closed instead, because Deno's port has no `close`.
  leave: () => process.exit(),
};

answerParent(new ModelService(thread), MODEL_METHODS);
