/**
 * Optimisations that the engine must leave. One replaces slices by nodes that upset the order in which a lowered graph
 * is meant to run. The second makes x / d of x · (1 / d) where nobody else reads the quotient, which rounds otherwise: a
 * layer that is computed twice would not come out the same. The third undoes products that are turned round to be quick.
 */
export const DISABLED_OPTIMIZERS = 'GatherSliceToSplitFusion;DivMulFusion;GemmTransposeFusion';
