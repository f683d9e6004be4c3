import type { HeadDefinition } from '../head-definition.ts';

/** Predicts the next token at each token. */
export const causalLmHead: HeadDefinition = {
  taskType: 'CAUSAL_LM',
  architectures: ['ForCausalLM', 'LMHeadModel'],
  adapterHubTypes: ['causal_lm'],
  axes: ['sequence', 'batch', 'vocabulary'],
  onnxOutputs: ['logits'],
  reads: 'cached',
  mainUse: 'generate',
  served: 'decoding',
};
