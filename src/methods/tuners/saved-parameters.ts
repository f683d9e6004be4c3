import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import type { TrainedParameter } from './parameter-layout.ts';
import { isInsideModule, tiedOutputs } from './tied-words.ts';
import type { TunableModel } from './tuner.ts';

interface SavedSelection {
  modules_to_save?: readonly string[];
  bias: 'none' | 'lora_only' | 'all';
}

/**
 * The model's own parameters that are trained besides the adapters, by PEFT's rules:
 *
 * - those of the head;
 * - those of modules whose path ends in a name of `modules_to_save`;
 * - the biases that `bias` selects.
 *
 * @param adapted the layers that have an adapter
 */
export function savedParameters(
  model: TunableModel,
  { modules_to_save: modulesToSave = [], bias }: SavedSelection,
  adapted: readonly { path: string }[],
): TrainedParameter[] {
  const names = [...model.parameters.keys()];
  for (const module of modulesToSave) {
    if (names.some((name) => isInsideModule(name, module))) continue;
    throw new UserError({
      where: 'modules_to_save',
      fault: `has "${module}", which is not a module of the model`,
      hint: suggest(module, new Set(names.map((name) => name.split('.').at(-2) ?? name))),
    });
  }
  for (const [output, table] of tiedOutputs(model)) {
    const module = modulesToSave.find((name) => isInsideModule(table, name));
    if (module === undefined) continue;
    throw new UserError({
      where: 'modules_to_save',
      fault: `has "${module}" with the word embeddings, which are also the output weights (${output}) of this model`,
      hint: 'PEFT would separate them when it loads the adapter. Use a base model with tie_word_embeddings: false, or remove the module.',
    });
  }
  const adaptedBiases = new Set(adapted.map(({ path }) => `${path}.bias`));
  const isTrainedBias = {
    none: () => false,
    lora_only: (name: string) => adaptedBiases.has(name),
    all: (name: string) => name.endsWith('.bias'),
  }[bias];
  return [...model.parameters]
    .filter(
      ([name]) =>
        isTrainedBias(name) ||
        model.head.modules.some((module) => name.startsWith(`${module}.`)) ||
        modulesToSave.some((module) => isInsideModule(name, module)),
    )
    .map(([name, shape]) => ({ name, shape }));
}
