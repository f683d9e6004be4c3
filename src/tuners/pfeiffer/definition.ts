import { bottleneckMethod } from '../bottleneck/bottleneck-method.ts';

/**
 * Adapters as Pfeiffer et al. (2021, AdapterFusion) place them, AdapterHub's `seq_bn`: behind the feed-forward network
 * alone, on what the layer gives without them. By default the size that AdaLoRA's paper compares itself with at 0.6
 * million parameters of DeBERTaV3-base.
 *
 * On Gemma 2 each adapter reads its own layer's norm. AdapterHub's `adapters` 1.3.0 takes that of the last layer for all of
 * them, for its hook is a closure over the loop's variable; with more than one layer the two differ there.
 */
export const pfeiffer = bottleneckMethod({
  title: 'Pfeiffer adapters',
  tag: 'pfeiffer',
  sublayers: ['feedForward'],
  reads: 'norm',
  defaults: { bottleneck: 32, non_linearity: 'relu' },
});
