import { answerParent } from '../../../../support/node/threads.ts';
import { MODEL_METHODS } from './model-in-thread.ts';
import { ModelService } from './model-service.ts';

// process.exit ends only this thread. The port is not closed instead, because Deno's port has no `close`.
answerParent(new ModelService(() => process.exit()), MODEL_METHODS);
