import { headNamed } from '../../models/heads/registry.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';

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
  // Heads score words with the word embeddings, or with as many rows of their own.
  const scoresWords = headNamed(headKind).axes.includes('vocabulary');
  const isOfWords = ([rows]: readonly number[]) => scoresWords && rows === config.vocabSize;
  return [...parameters]
    .filter(
      ([name, shape]) =>
        (!name.startsWith(base) && !isOfWords(shape)) ||
        head.modules.some((module) => name.startsWith(`${module}.`)),
    )
    .map(([name, shape]) => ({ name, shape }));
}
