import type { HeadKind } from '../../models/model-definition.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';

/** Heads that score every word, with the word embeddings or as many rows of their own. */
const WORD_HEADS: readonly HeadKind[] = ['MASKED_LM', 'CAUSAL_LM', 'SEQ_2_SEQ_LM'];

/**
 * What AdapterHub trains beside adapters: every parameter outside the base model but those that score words, and
 * modules of the head inside it that the checkpoint lacks.
 */
export function headParameters({
  definition,
  head,
  headKind,
  config,
  parameters,
}: TunableModel): TrainedParameter[] {
  const prefix = head.baseModelPrefix ?? definition.baseModelPrefix;
  const base = prefix && `${prefix}.`;
  const isOfWords = (shape: readonly number[]) =>
    WORD_HEADS.includes(headKind) && shape[0] === config.vocabSize;
  return [...parameters]
    .filter(
      ([name, shape]) =>
        (!name.startsWith(base) && !isOfWords(shape)) ||
        head.modules.some((module) => name.startsWith(`${module}.`)),
    )
    .map(([name, shape]) => ({ name, shape }));
}
