/**
 * Optimizations of the engine that must stay off. The first replaces slices by nodes that break the intended order of a
 * lowered graph. The second turns x · (1 / d) into x / d if the quotient has no other use. That rounds differently, so
 * a recomputed layer would give different values. The third reverts products that were transposed for speed.
 */
export const DISABLED_OPTIMIZERS = 'GatherSliceToSplitFusion;DivMulFusion;GemmTransposeFusion';
