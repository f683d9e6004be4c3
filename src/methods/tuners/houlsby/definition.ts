import { bottleneckMethod } from '../bottleneck/bottleneck-method.ts';

/**
 * Adapters placed as in Houlsby et al. (2019), AdapterHub's `double_seq_bn`: after attention and after the feed-forward
 * network. Each reads and changes the sublayer's output before the residual sum. The default size is that of the
 * baseline with 0.6 million parameters in AdaLoRA's paper (DeBERTaV3-base).
 */
export const houlsby = bottleneckMethod({
  title: 'Houlsby adapters',
  tag: 'houlsby',
  sublayers: ['attention', 'feedForward'],
  reads: 'output',
  defaults: { bottleneck: 16, non_linearity: 'swish' },
});
