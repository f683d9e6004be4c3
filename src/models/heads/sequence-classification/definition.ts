import type { HeadDefinition } from '../head-definition.ts';

/** Classes, or a number, of a text. */
export const sequenceClassificationHead: HeadDefinition = {
  taskType: 'SEQ_CLS',
  architectures: ['ForSequenceClassification'],
  adapterHubTypes: ['classification', 'multilabel_classification'],
  axes: ['batch', 'labels'],
  onnxOutputs: ['logits'],
  reads: 'whole',
  purpose: 'predict',
  served: 'rows',
};
