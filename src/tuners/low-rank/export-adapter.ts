import type { AdapterTensors } from '../../formats/adapters/stored-adapter.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import { describedAdapter } from '../peft/described-adapter.ts';
import type { TunableModel } from '../tuner.ts';
import type { LowRankModule } from './factors.ts';
import { sortablePattern } from './pattern-value.ts';
import type { PeftAdapter } from './peft-adapter.ts';
import { type LoraAdapterConfig, type PeftAdapterConfig, parseAdapterConfig } from './peft-config.ts';
import { storedForms } from './stored-forms.ts';

/** The parts needed to export an adapter. */
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

/** Stores trained values as a PEFT adapter. `keys` are the config keys of its kind only. */
export function exportAdapter(
  { model, config, targets, modules, layout, values, baseModel }: Export,
  keys: { peft_type: PeftAdapterConfig['peft_type'] } & Record<string, unknown>,
): PeftAdapter {
  const described = {
    ...describedAdapter(model, config, targets, modules, baseModel),
    ...keys,
  };
  const parsed = parseAdapterConfig(described, 'adapter_config.json');
  return {
    config: parsed.peft_type === 'LORA' ? { ...parsed, ...sortablePatterns(parsed, modules) } : parsed,
    tensors: namedTensors(layout, values, keys.peft_type),
  };
}

/**
 * Stores the adapter of a run that continued another. Its config is that of `start`, including the rank pattern, except
 * for the given keys.
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

/** The patterns of a file, in which keys are sorted. */
function sortablePatterns(
  { rank_pattern, alpha_pattern }: LoraAdapterConfig,
  modules: readonly LowRankModule[],
): Pick<LoraAdapterConfig, 'rank_pattern' | 'alpha_pattern'> {
  const paths = modules.map(({ path }) => path);
  return {
    rank_pattern: sortablePattern(rank_pattern, paths),
    alpha_pattern: sortablePattern(alpha_pattern, paths),
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
