import type { HeadDefinition } from '../head-definition.ts';

/** Returns one vector per text: the pooled hidden states of its tokens. */
export const featureExtractionHead: HeadDefinition = {
  taskType: 'FEATURE_EXTRACTION',
  architectures: ['Model'],
  adapterHubTypes: [],
  axes: ['batch', 'labels'],
  onnxOutputs: ['sentence_embedding'],
  reads: 'whole',
  mainUse: 'embed',
  served: 'rows',
};
