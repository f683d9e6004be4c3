import { bottleneckMethod } from '../bottleneck/bottleneck-method.ts';

/**
 * Adapters placed as in Pfeiffer et al. (2021, AdapterFusion), AdapterHub's `seq_bn`: only after the feed-forward
 * network, on the layer's result without them. The default size is the one that AdaLoRA's paper compares with at 0.6
 * million parameters of DeBERTaV3-base.
 *
 * On Gemma 2, each adapter reads its own layer's norm. AdapterHub's `adapters` 1.3.0 uses the norm of the last layer
 * for all of them, because its hook is a closure over the loop variable. With more than one layer, the two differ.
 */
export const pfeiffer = bottleneckMethod({
  title: 'Pfeiffer adapters',
  tag: 'pfeiffer',
  sublayers: ['feedForward'],
  reads: 'norm',
  defaults: { bottleneck: 32, non_linearity: 'relu' },
});
