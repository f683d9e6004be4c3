/**
 * The classes of GLUE's tasks by the names of the Hub's data sets, in their order: `nyu-mll/glue` numbers them so. GLUE's
 * own files have these names of MNLI, QNLI and RTE, and the numbers of the others.
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
