import { type PeftAdapterConfig, parseAdapterConfig } from '../../formats/peft/adapter-config.ts';
import { gather } from '../../support/gather.ts';
import type { AdaLoraRun } from '../adalora/adalora-run.ts';
import type { AllocationSchedule } from '../adalora/budget.ts';
import { keptIndices } from '../adalora/kept-indices.ts';
import type { LoraConfig } from '../lora/config.ts';
import type { LoraTuner } from '../lora/lora-tuner.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import type { Tuner } from '../tuner.ts';
import { adapterKey } from './adapter-keys.ts';

/** An adapter as PEFT's files hold it. */
export interface PeftAdapter {
  config: PeftAdapterConfig;
  tensors: Map<string, { shape: number[]; data: Float32Array }>;
}

/** What an adapter's config says of the model it belongs to. */
export interface AdapterContext {
  baseModel: string;
  /** PEFT's; null where it has none, and then tells by the next two which class the adapter is for. */
  taskType: string | null;
  architecture: string;
  /** transformers' module of that class. */
  library: string;
  targetModules: string | readonly string[];
  /** Modules saved whole: the head, and `modules_to_save`. */
  modulesToSave: readonly string[];
}

/** A LoRA adapter. */
export function exportLora(
  tuner: LoraTuner,
  config: LoraConfig,
  values: Float32Array,
  context: AdapterContext,
): PeftAdapter {
  return {
    config: parseAdapterConfig(
      { ...config, ...contextKeys(context, tuner), peft_type: 'LORA' },
      'adapter_config.json',
    ),
    tensors: namedTensors(tuner.layout, values, 'LORA'),
  };
}

/**
 * An AdaLoRA adapter: the kept triplets, and in `rank_pattern` which of the initial ones they are. Before the pattern
 * is final it has all triplets and no pattern, as PEFT's has.
 */
export function exportAdaLora(
  run: AdaLoraRun,
  values: Float32Array,
  schedule: AllocationSchedule,
  context: AdapterContext,
): PeftAdapter {
  const { config, modules, layout } = run.tuner;
  const keep = run.keep();
  const kept = run.settled && config.shrink === 'at-export' ? run.tuner.shrink(keep) : run.tuner;
  const compact =
    kept === run.tuner ? values : gather(values, keptIndices(modules, keep, layout, kept.layout));
  const flags = modules.map(({ path }, k) => [`${path}.lora_E`, Array.from(keep[k], Boolean)] as const);
  const keys = {
    ...config,
    ...contextKeys(context, run.tuner),
    peft_type: 'ADALORA',
    tinit: schedule.tinit,
    tfinal: schedule.tfinal,
    deltaT: schedule.deltaT,
    total_step: schedule.totalStep,
    rank_pattern: run.settled ? Object.fromEntries(flags) : null,
  };
  return {
    config: parseAdapterConfig(keys, 'adapter_config.json'),
    tensors: namedTensors(kept.layout, compact, 'ADALORA'),
  };
}

/**
 * The adapter that a run makes of one it has continued: as `start` says, its rank pattern included, but for the given
 * keys.
 */
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

function contextKeys(
  { baseModel, taskType, architecture, library, targetModules, modulesToSave }: AdapterContext,
  { modules }: Pick<Tuner, 'modules'>,
) {
  return {
    base_model_name_or_path: baseModel,
    task_type: taskType,
    auto_mapping: taskType === null ? { base_model_class: architecture, parent_library: library } : null,
    target_modules: targetModules,
    modules_to_save: modulesToSave.length > 0 ? modulesToSave : null,
    // PEFT sets it anew for every module that it adapts: the last one's stays.
    fan_in_fan_out: modules.at(-1)?.transposed ?? false,
    inference_mode: true,
  };
}

function namedTensors(layout: ParameterLayout, values: Float32Array, method: 'LORA' | 'ADALORA') {
  const tensors: PeftAdapter['tensors'] = new Map();
  const isAdapted = (path: string) => layout.find(`${path}.lora_A`) !== undefined;
  for (const { name, shape } of layout.segments) {
    // PEFT keeps λ as a column.
    const stored = name.endsWith('.lora_E') ? [...shape, 1] : [...shape];
    tensors.set(adapterKey(name, method, isAdapted), { shape: stored, data: layout.read(values, name) });
  }
  return tensors;
}
