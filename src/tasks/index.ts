export { IGNORED, labelledRows } from './labelled-rows.ts';
export { modelFeeds, modelInputs } from './model-inputs.ts';
export { sequenceLoss } from './sequence-loss.ts';
export { type SequenceModel, sequenceModel } from './sequence-model.ts';
export { shiftRight } from './shift-right.ts';
export { spanLoss } from './span-loss.ts';
export { spanModel } from './span-model.ts';
export { type TaskModel, taskModel } from './task-model.ts';
export { type TokenHeadKind, tokenModel } from './token-model.ts';
