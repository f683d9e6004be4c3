import type { ModelDefinition, ModuleRoles } from '../../../models/model-definition.ts';
import type { TunableModel } from '../tuner.ts';

type Role = Exclude<keyof ModuleRoles, 'rescaled' | 'queryKeyValue'>;

/** Queries and values: PEFT's default for LoRA. */
const FEW: readonly Role[] = ['query', 'value'];
/** The six matrices of each layer of the AdaLoRA paper. */
const ALL: readonly Role[] = ['query', 'key', 'value', 'output', 'up', 'down'];

/** The roles that methods adapt by default. */
const DEFAULTS = {
  few: () => FEW,
  /** As PEFT's AdaLoRA, it adapts few matrices of decoders. */
  many: ({ isDecoder }: ModelDefinition) => (isDecoder ? FEW : ALL),
  /** PEFT's default for IA3, which rescales activations. */
  rescaled: ({ roles }: ModelDefinition): readonly Role[] => [roles.rescaled ?? 'key', 'value', 'down'],
  /** The modules among those whose input is rescaled, instead of their output. */
  rescaledInputs: (): readonly Role[] => ['down'],
};

/** The modules that a method adapts by default: the family's names of these roles that occur in this model. */
export function defaultTargets(
  { definition, linears }: Pick<TunableModel, 'definition' | 'linears'>,
  which: keyof typeof DEFAULTS,
): readonly string[] {
  return defaultNames(definition, which).filter((name) =>
    linears.some(({ path }) => path === name || path.endsWith(`.${name}`)),
  );
}

/** The family's names of the roles that a method adapts by default. */
export function defaultNames(definition: ModelDefinition, which: keyof typeof DEFAULTS): readonly string[] {
  const { roles } = definition;
  const names = DEFAULTS[which](definition).flatMap((role) => roles[role] ?? roles.queryKeyValue ?? []);
  return [...new Set(names)];
}
