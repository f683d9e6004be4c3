import { headNamed } from '../../models/heads/registry.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';

/**
 * The parameters that AdapterHub trains besides adapters. They are all parameters outside the base model that do not
 * score words. Modules of the head inside the base model are trained only if the checkpoint lacks them.
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
  // Heads that score words use the word embeddings, or a matrix with as many rows.
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
