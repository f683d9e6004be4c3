import { writesText } from '../../../models/heads/registry.ts';
import type { ModelDefinition, ModuleRoles } from '../../../models/model-definition.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import type { TunableModel } from '../tuner.ts';
import { matchTargets, type TargetSelection } from './match-targets.ts';

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
  /** PEFT's default for methods that rescale activations. */
  rescaled: ({ roles }: ModelDefinition): readonly Role[] => [roles.rescaled ?? 'key', 'value', 'down'],
  /** The modules among those whose input is rescaled, instead of their output. */
  rescaledInputs: (): readonly Role[] => ['down'],
};

/**
 * The modules that a method adapts by default: the family's names of these roles that occur in this model, or the paths of
 * modules if it adapts a part.
 */
export function defaultTargets(
  { definition, linears }: Pick<TunableModel, 'definition' | 'linears'>,
  which: keyof typeof DEFAULTS,
): readonly string[] {
  const names = defaultNames(definition, which);
  const isNamed = (path: string, name: string) => path === name || path.endsWith(`.${name}`);
  const inPart = linears.filter(({ path }) => path.startsWith(`${definition.adaptedPart}.`));
  // A name alone would also select the modules of other parts.
  if (inPart.length > 0)
    return inPart.flatMap(({ path }) => (names.some((name) => isNamed(path, name)) ? [path] : []));
  return names.filter((name) => linears.some(({ path }) => isNamed(path, name)));
}

/** The family's names of the roles that a method adapts by default. */
export function defaultNames(definition: ModelDefinition, which: keyof typeof DEFAULTS): readonly string[] {
  const { roles } = definition;
  const names = DEFAULTS[which](definition).flatMap((role) => roles[role] ?? roles.queryKeyValue ?? []);
  return [...new Set(names)];
}

/** The settings with the method's default modules, if they do not select modules. */
export function withTargets<Config extends Partial<TargetSelection>>(
  model: TunableModel,
  config: Config,
  which: keyof typeof DEFAULTS,
): Config & Pick<TargetSelection, 'target_modules'> {
  return { ...config, target_modules: config.target_modules ?? defaultTargets(model, which) };
}

/** The linear layers that a config selects. Without `target_modules`, they are those of `defaults`. */
export function adaptedModules(
  model: TunableModel,
  selection: Partial<TargetSelection>,
  defaults: readonly string[] = [],
): readonly LinearModule[] {
  const { modules: heads, mayLack = [] } = model.head;
  // The module that scores words is often missing from checkpoints (it is tied). PEFT excludes it too.
  const outputs = writesText(model.headKind) ? mayLack : heads;
  const paths = matchTargets(
    model.linears.map(({ path }) => path),
    {
      ...selection,
      target_modules: selection.target_modules ?? defaults,
      modules_to_save: [...heads, ...(selection.modules_to_save ?? [])],
    },
    outputs,
  );
  const chosen = new Set(paths);
  return model.linears.filter(({ path }) => chosen.has(path));
}
