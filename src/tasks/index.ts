export { encoderFeeds, encoderInputs } from './sequence-inputs.ts';
export { sequenceLoss } from './sequence-loss.ts';
export { type SequenceModel, sequenceModel } from './sequence-model.ts';
export { spanLoss } from './span-loss.ts';
export { spanModel } from './span-model.ts';
export { type TaskModel, taskModel } from './task-model.ts';
