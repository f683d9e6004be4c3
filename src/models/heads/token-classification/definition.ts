import type { HeadDefinition } from '../head-definition.ts';

/** Predicts the class of each token. */
export const tokenClassificationHead: HeadDefinition = {
  taskType: 'TOKEN_CLS',
  architectures: ['ForTokenClassification'],
  adapterHubTypes: ['tagging'],
  axes: ['sequence', 'batch', 'labels'],
  onnxOutputs: ['logits'],
  reads: 'whole',
  mainUse: 'predict',
  served: 'rows',
};
