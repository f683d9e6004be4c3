import type { ModelDefinition } from '../../models/model-definition.ts';
import { modelFamily } from '../../models/registry.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';

/** Fields of a config.json that a run replaces (`model_config`). */
export type ModelConfig = Readonly<Record<string, unknown>>;

/**
 * Returns a config.json with some of its fields replaced. The family reports invalid values.
 *
 * @throws UserError for a field that the family does not read, with the nearest known name
 */
export function withModelConfig<Json extends Record<string, unknown>>(
  json: Json,
  changes: ModelConfig | undefined,
  where: string,
): Json {
  if (!changes) return json;
  const definition = modelFamily(json, where);
  for (const name of Object.keys(changes)) {
    const known = name !== 'model_type' && (Object.hasOwn(json, name) || reads(definition, json, name));
    if (known) continue;
    throw new UserError({
      where: `model_config.${name}`,
      fault: `is not a field of the config.json of ${definition.modelType}`,
      hint: suggest(name, Object.keys(json)),
      code: 'invalid_config',
    });
  }
  return { ...json, ...changes };
}

/** Whether a family reads a field. It is tested with a function as the value: a field that is read rejects it. */
function reads(definition: ModelDefinition, json: Record<string, unknown>, name: string): boolean {
  try {
    definition.parseConfig({ ...json, [name]: () => undefined }, 'config.json');
    return false;
  } catch {
    return true;
  }
}
