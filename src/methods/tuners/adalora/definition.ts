import { prunedTriplets } from '../composed/pruned-triplets.ts';

/** AdaLoRA (Zhang et al., ICLR 2023), with the keys and files of PEFT. */
export const adaLora = prunedTriplets({ method: 'adalora', title: 'AdaLoRA', tags: ['adalora'] });
