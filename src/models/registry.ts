import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import { bert } from './bert/definition.ts';
import type { ModelDefinition } from './model-definition.ts';

/** Every model family, by `model_type`. A new family is one entry here and one folder beside. */
const families: Record<string, ModelDefinition> = { bert };

/** The family of a config.json; a UserError names what exists when its `model_type` is unknown. */
export function modelFamily(config: unknown, where: string): ModelDefinition {
  const modelType = (config as { model_type?: unknown } | null)?.model_type;
  if (typeof modelType === 'string' && Object.hasOwn(families, modelType)) {
    return families[modelType];
  }
  throw new UserError({
    where: `${where}, model_type`,
    expected: `one of ${Object.keys(families).join(', ')}`,
    got: JSON.stringify(modelType) ?? 'nothing',
    hint: typeof modelType === 'string' ? suggest(modelType, Object.keys(families)) : undefined,
  });
}

export function modelTypes(): string[] {
  return Object.keys(families);
}
