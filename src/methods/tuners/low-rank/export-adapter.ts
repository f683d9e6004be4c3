import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import { describedAdapter } from '../peft/described-adapter.ts';
import { writePeft } from '../peft/peft-files.ts';
import type { TunableModel } from '../tuner.ts';
import { factorOf, type LowRankModule } from './factors.ts';
import { sortablePattern } from './pattern-value.ts';
import {
  LOW_RANK_FILES,
  type LoraAdapterConfig,
  type PeftAdapterConfig,
  parseAdapterConfig,
} from './peft-config.ts';

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

/** Stores trained values in PEFT's files. `keys` are the config keys of its kind only. */
export function exportAdapter(
  { model, config, targets, modules, layout, values, baseModel }: Export,
  keys: { peft_type: PeftAdapterConfig['peft_type'] } & Record<string, unknown>,
): StoredAdapter {
  const described = {
    ...describedAdapter(model, config, targets, modules, baseModel),
    ...keys,
  };
  const parsed = parseAdapterConfig(described, 'adapter_config.json');
  const settings = parsed.peft_type === 'LORA' ? { ...parsed, ...sortablePatterns(parsed, modules) } : parsed;
  return written(settings, layout, values);
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
): StoredAdapter {
  return written({ ...start, ...keys, inference_mode: true }, layout, values);
}

function written(config: PeftAdapterConfig, layout: ParameterLayout, values: Float32Array): StoredAdapter {
  const adapted = layout.segments.flatMap(({ name }) => factorOf(name)?.path ?? []);
  return writePeft(LOW_RANK_FILES[config.peft_type], { config, layout, values, adapted });
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
