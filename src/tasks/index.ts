export { encoderFeeds, encoderInputs } from './sequence-inputs.ts';
export { sequenceLoss } from './sequence-loss.ts';
export { type SequenceModel, sequenceModel } from './sequence-model.ts';
