import type { ModelDefinition } from '../../models/model-definition.ts';
import type { TunableModel } from '../tuner.ts';

/** The modules that a method adapts by default: the family's names that occur in this model. */
export function defaultTargets(
  { definition, linears }: Pick<TunableModel, 'definition' | 'linears'>,
  which: keyof ModelDefinition['targetModules'],
): readonly string[] {
  return definition.targetModules[which].filter((name) =>
    linears.some(({ path }) => path === name || path.endsWith(`.${name}`)),
  );
}
