import { bottleneckMethod } from '../bottleneck/bottleneck-method.ts';

/**
 * Adapters as Houlsby et al. (2019) place them, AdapterHub's `double_seq_bn`: behind attention and behind the
 * feed-forward network, each on the sublayer's output before the residual. By default the size that AdaLoRA's paper
 * compares itself with at 0.6 million parameters of DeBERTaV3-base.
 */
export const houlsby = bottleneckMethod({
  title: 'Houlsby adapters',
  tag: 'houlsby',
  sublayers: ['attention', 'feedForward'],
  reads: 'output',
  defaults: { bottleneck: 16, non_linearity: 'swish' },
});
