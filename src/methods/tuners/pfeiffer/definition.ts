import { bottleneckMethod } from '../bottleneck/bottleneck-method.ts';

/**
 * Adapters placed as in Pfeiffer et al. (2021, AdapterFusion), AdapterHub's `seq_bn`: only after the feed-forward
 * network. Each reads the layer's result without the adapter. The default size is that of the baseline with 0.6 million
 * parameters in AdaLoRA's paper (DeBERTaV3-base).
 *
 * On Gemma 2, each adapter reads its own layer's norm. In AdapterHub's `adapters` 1.3.0, all of them read the norm of
 * the last layer, because its hook is a closure over the loop variable. With more than one layer, the results differ.
 */
export const pfeiffer = bottleneckMethod({
  title: 'Pfeiffer adapters',
  tag: 'pfeiffer',
  sublayers: ['feedForward'],
  reads: 'norm',
  defaults: { bottleneck: 32, non_linearity: 'relu' },
});
