/**
 * Class names of GLUE's tasks, in the order of the class ids in the Hub's dataset `nyu-mll/glue`. GLUE's own
 * files contain these names for MNLI, QNLI and RTE, and ids for other tasks.
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
