import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import type { TrainedParameter } from './parameter-layout.ts';
import type { TunableModel } from './tuner.ts';

interface SavedSelection {
  modules_to_save?: readonly string[];
  bias: 'none' | 'lora_only' | 'all';
}

/**
 * The model's own parameters that are trained besides the adapters, by PEFT's rules:
 *
 * - those of the head;
 * - those of modules whose path equals a name in `modules_to_save`, or ends in `.` and such a name;
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
  const isInside = (parameter: string, module: string) =>
    parameter.startsWith(`${module}.`) || parameter.includes(`.${module}.`);
  for (const module of modulesToSave) {
    if (names.some((name) => isInside(name, module))) continue;
    throw new UserError({
      where: 'modules_to_save',
      fault: `has "${module}", which is not a module of the model`,
      hint: suggest(module, new Set(names.map((name) => name.split('.').at(-2) ?? name))),
    });
  }
  const wanted = [...model.head.modules, ...modulesToSave];
  const adaptedBiases = new Set(adapted.map(({ path }) => `${path}.bias`));
  const isTrainedBias = {
    none: () => false,
    lora_only: (name: string) => adaptedBiases.has(name),
    all: (name: string) => name.endsWith('.bias'),
  }[bias];
  return [...model.parameters]
    .filter(([name]) => isTrainedBias(name) || wanted.some((module) => isInside(name, module)))
    .map(([name, shape]) => ({ name, shape }));
}
