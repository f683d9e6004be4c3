import type { HeadDefinition } from '../head-definition.ts';

/** Predicts the next token of a target text. */
export const seq2seqLmHead: HeadDefinition = {
  taskType: 'SEQ_2_SEQ_LM',
  architectures: ['ForConditionalGeneration'],
  adapterHubTypes: ['seq2seq_lm'],
  axes: ['sequence', 'batch', 'vocabulary'],
  onnxOutputs: ['logits'],
  reads: 'encoder-decoder',
  mainUse: 'generate',
  served: 'own',
};
