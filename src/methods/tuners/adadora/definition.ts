import { prunedTriplets } from '../composed/pruned-triplets.ts';

/** AdaDoRA, a method of adalora: AdaLoRA with DoRA's magnitude (Liu et al., ICML 2024, arXiv 2402.09353). */
export const adaDora = prunedTriplets(
  { method: 'adadora', title: 'AdaDoRA', tags: ['lora', 'dora', 'adadora'] },
  { use_dora: true },
);
