import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import type { TrainedParameter } from './parameter-layout.ts';
import type { TunableModel } from './tuner.ts';

/**
 * The parameters of the modules that are trained whole: the classification head, and those whose path is, or ends in
 * `.` and, a name of `modules_to_save` (PEFT's rule).
 */
export function savedParameters(
  model: TunableModel,
  modulesToSave: readonly string[] = [],
): TrainedParameter[] {
  const names = [...model.parameters.keys()];
  const isInside = (parameter: string, module: string) =>
    parameter.startsWith(`${module}.`) || parameter.includes(`.${module}.`);
  for (const module of modulesToSave) {
    if (names.some((name) => isInside(name, module))) continue;
    throw new UserError({
      where: 'modules_to_save',
      expected: 'modules of the model',
      got: `"${module}"`,
      hint: suggest(module, new Set(names.map((name) => name.split('.').at(-2) ?? name))),
    });
  }
  const wanted = [...model.definition.headModules, ...modulesToSave];
  return [...model.parameters]
    .filter(([name]) => wanted.some((module) => isInside(name, module)))
    .map(([name, shape]) => ({ name, shape }));
}
