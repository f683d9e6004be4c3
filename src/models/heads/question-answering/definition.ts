import type { HeadDefinition } from '../head-definition.ts';

/** Predicts the start and end of an answer. */
export const questionAnsweringHead: HeadDefinition = {
  taskType: 'QUESTION_ANS',
  architectures: ['ForQuestionAnswering'],
  adapterHubTypes: ['question_answering'],
  axes: [2, 'batch', 'sequence'],
  onnxOutputs: ['start_logits', 'end_logits'],
  reads: 'whole',
  mainUse: 'predict',
  served: 'rows',
};
