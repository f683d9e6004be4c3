/**
 * Class names of GLUE's tasks in the order of the Hub's data set `nyu-mll/glue`, which numbers them. GLUE's own files
 * have these names for MNLI, QNLI and RTE, and numbers for the others.
 */
export const GLUE_CLASSES = {
  cola: ['unacceptable', 'acceptable'],
  sst2: ['negative', 'positive'],
  mrpc: ['not_equivalent', 'equivalent'],
  qqp: ['not_duplicate', 'duplicate'],
  mnli: ['entailment', 'neutral', 'contradiction'],
  qnli: ['entailment', 'not_entailment'],
  rte: ['entailment', 'not_entailment'],
  wnli: ['not_entailment', 'entailment'],
} as const;
