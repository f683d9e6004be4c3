import type { AdapterTensors } from '../../formats/adapters/stored-adapter.ts';
import { headNamed } from '../../models/heads/registry.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';
import type { LowRankModule } from './factors.ts';
import type { PeftAdapter } from './peft-adapter.ts';
import { type PeftAdapterConfig, parseAdapterConfig } from './peft-config.ts';
import { storedForms } from './stored-forms.ts';

/** The inputs of an exported adapter. */
export interface Export {
  model: TunableModel;
  /** The method's settings. */
  config: { target_modules?: string | string[]; modules_to_save?: string[]; lora_alpha?: number };
  /** The modules that the method adapts by default. */
  targets: readonly string[];
  modules: readonly LowRankModule[];
  layout: ParameterLayout;
  values: Float32Array;
  baseModel: string;
}

/** Trained values as an adapter of PEFT; `keys` are the config keys specific to its kind. */
export function exportAdapter(
  { model, config, targets, modules, layout, values, baseModel }: Export,
  keys: { peft_type: PeftAdapterConfig['peft_type'] } & Record<string, unknown>,
): PeftAdapter {
  const { definition, headKind, head } = model;
  const { taskType } = headNamed(headKind);
  const saved = [...head.modules, ...(config.modules_to_save ?? [])];
  const described = {
    ...config,
    base_model_name_or_path: baseModel,
    task_type: taskType,
    // Without a task type, PEFT needs the class that the adapter is for.
    auto_mapping:
      taskType === null
        ? { base_model_class: head.architecture, parent_library: transformersModule(definition.modelType) }
        : null,
    target_modules: config.target_modules ?? targets,
    modules_to_save: saved.length > 0 ? saved : null,
    // PEFT overwrites it for every module that it adapts, so the last one decides.
    fan_in_fan_out: modules.at(-1)?.transposed ?? false,
    inference_mode: true,
    ...keys,
  };
  return {
    config: parseAdapterConfig(described, 'adapter_config.json'),
    tensors: namedTensors(layout, values, keys.peft_type),
  };
}

/** The adapter of a run that continued one: as in `start`, its rank pattern included, except for the given keys. */
export function exportContinued(
  start: PeftAdapterConfig,
  layout: ParameterLayout,
  values: Float32Array,
  keys: Pick<PeftAdapterConfig, 'base_model_name_or_path' | 'lora_dropout'>,
): PeftAdapter {
  return {
    config: { ...start, ...keys, inference_mode: true },
    tensors: namedTensors(layout, values, start.peft_type),
  };
}

function namedTensors(
  layout: ParameterLayout,
  values: Float32Array,
  kind: PeftAdapterConfig['peft_type'],
): AdapterTensors {
  return new Map(
    storedForms(layout.segments, kind).map(({ name, key, shape }) => [
      key,
      { shape, data: layout.read(values, name) },
    ]),
  );
}

/** The module of a family's code in transformers. */
function transformersModule(modelType: string): string {
  const folder = modelType.replaceAll('-', '_');
  return `transformers.models.${folder}.modeling_${folder}`;
}
