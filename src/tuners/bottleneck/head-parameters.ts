import { headNamed } from '../../models/heads/registry.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';

/**
 * The parameters that AdapterHub trains besides adapters: those outside the base model, except those that score words,
 * and head modules inside the base model that the checkpoint lacks.
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
