import type { HeadDefinition } from '../head-definition.ts';

/** Predicts classes, or a number, for a text. */
export const sequenceClassificationHead: HeadDefinition = {
  taskType: 'SEQ_CLS',
  architectures: ['ForSequenceClassification'],
  adapterHubTypes: ['classification', 'multilabel_classification'],
  axes: ['batch', 'labels'],
  onnxOutputs: ['logits'],
  reads: 'whole',
  mainUse: 'predict',
  served: 'rows',
};
