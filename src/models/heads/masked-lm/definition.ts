import type { HeadDefinition } from '../head-definition.ts';

/** Predicts the token at each masked position. PEFT has no task type for it. */
export const maskedLmHead: HeadDefinition = {
  taskType: null,
  architectures: ['ForMaskedLM'],
  adapterHubTypes: ['masked_lm'],
  axes: ['sequence', 'batch', 'vocabulary'],
  onnxOutputs: ['logits'],
  reads: 'whole',
  mainUse: 'predict',
};
