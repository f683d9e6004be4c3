import { prunedTriplets } from '../composed/pruned-triplets.ts';

/**
 * IGU-LoRA (Cui et al., ICLR 2026, arXiv 2603.13792): AdaLoRA with gradients along a path from zero, and the score (Ī +
 * ε) / (Ū + ε).
 */
export const iguLora = prunedTriplets(
  { method: 'igulora', title: 'IGU-LoRA', tags: ['adalora', 'igulora'] },
  { score: 'sensitivity-over-uncertainty', path_points: 20, initial_lambda: 0.1 },
);
