import { PEFT_PREFIX, peftName, type StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { taskTypeFor } from '../../models/heads/task-type.ts';
import { InvalidFile } from '../../support/user-error.ts';
import type { AdapterKind, AdapterSummary } from './adapter-kind.ts';
import type { TunableModel, Tuner } from './tuner.ts';

/** Adapters that only adalora reads: the files of a method that PEFT does not have. */
export interface OwnAdapters<Config> {
  kind: AdapterKind;
  /** Stores trained values of a tuner that `tunerOf` has made. */
  store(model: TunableModel, config: Config, values: Float32Array, baseModel: string): StoredAdapter;
}

/**
 * Defines the adapter files of a method. `adapter_config.json` has its settings. The tensors are those of the tuner's
 * layout, with PEFT's prefix.
 *
 * @param name the kind's name in files, such as `SCALE`
 * @param parse checks and completes the settings of a file
 * @param tunerOf returns the tuner of a model with these settings
 * @param unmergeable why such an adapter cannot be merged, if its tuner has no `merged`
 */
export function ownAdapters<Config extends object>(
  name: string,
  parse: (settings: unknown) => Config,
  tunerOf: (model: TunableModel, config: Config) => Tuner,
  unmergeable?: string,
): OwnAdapters<Config> {
  return {
    kind: {
      name,
      reads: ({ config }) => config.peft_type === name,
      import(model, { config, tensors }, where) {
        const tuner = tunerOf(model, parsed(parse, config.settings, where));
        const { layout } = tuner;
        const values = new Float32Array(layout.length);
        for (const { name: parameter, shape } of layout.segments) {
          const tensor = tensors.get(PEFT_PREFIX + parameter);
          if (tensor?.shape.join() !== shape.join()) {
            const fault = tensor ? `has shape [${tensor.shape}], expected [${shape}]` : 'is missing';
            throw new InvalidFile({ where: `${where}: ${parameter}`, fault });
          }
          layout.read(values, parameter).set(tensor.data);
        }
        for (const key of tensors.keys()) {
          if (!layout.find(peftName(key, where)))
            throw new InvalidFile({ where: `${where}: ${key}`, fault: 'is not a tensor of this adapter' });
        }
        return { tuner, values };
      },
      facts: ({ config }) => ownFacts(config, { ...Object(config.settings) }),
      ...(unmergeable !== undefined && { unmergeable }),
    },
    store(model, config, values, baseModel) {
      const { layout } = tunerOf(model, config);
      return {
        config: {
          peft_type: name,
          base_model_name_or_path: baseModel,
          task_type: taskTypeFor(model),
          modules_to_save: model.head.modules.length > 0 ? model.head.modules : null,
          settings: config,
        },
        tensors: layout.tensors(values, (parameter) => PEFT_PREFIX + parameter),
        baseModel,
      };
    },
  };
}

/** The facts of an adapter whose tensors are its own, except those of modules that are saved in full. */
export function ownFacts(
  { modules_to_save }: StoredAdapter['config'],
  settings: Record<string, unknown>,
): AdapterSummary {
  const saved = Array.isArray(modules_to_save) ? modules_to_save : [];
  const isOwn = (key: string) => !saved.some((module) => key.startsWith(`${PEFT_PREFIX}${module}.`));
  return { ranks: {}, settings, isOwn };
}

function parsed<Config>(parse: (settings: unknown) => Config, settings: unknown, where: string): Config {
  try {
    return parse(settings ?? {});
  } catch (error) {
    throw new InvalidFile({
      where: `${where}: settings`,
      fault: `are not valid: ${(error as Error).message}`,
    });
  }
}
