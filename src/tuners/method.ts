import { AdaLoraRun } from './adalora/adalora-run.ts';
import { AdaLoraTuner } from './adalora/adalora-tuner.ts';
import type { AllocationSchedule } from './adalora/budget.ts';
import { resolveSchedule } from './adalora/resolve-schedule.ts';
import { FullTuner } from './full/full-tuner.ts';
import { LoraTuner } from './lora/lora-tuner.ts';
import { type MethodRun, staticRun } from './method-run.ts';
import {
  type AdapterContext,
  exportAdaLora,
  exportContinued,
  exportLora,
  type PeftAdapter,
} from './low-rank/export-adapter.ts';
import { importAdapter } from './low-rank/import-adapter.ts';
import type { TunableModel } from './tuner.ts';
import type { RunConfig } from '../run/config/run-config.ts';

/** A configured method on a model. */
export interface Method {
  run: MethodRun;
  /** The values to start from, where an adapter is continued; else the tuner's initial ones. */
  start?: Float32Array;
  /** The phases of the budget (AdaLoRA). */
  schedule?: AllocationSchedule;
  /** The adapter that trained values make; methods without adapters change the model itself. */
  exportAdapter?(values: Float32Array, baseModel: string): PeftAdapter;
}

/**
 * Sets up a run's method; `totalSteps` fixes AdaLoRA's schedule. Where the run continues an adapter, `start` is that,
 * and `config` must come from {@link continuedConfig}.
 */
export function createMethod(
  config: RunConfig,
  model: TunableModel,
  totalSteps: number,
  start?: PeftAdapter,
): Method {
  if (start) return continuedMethod(config, model, start);
  switch (config.method) {
    case 'adalora': {
      const schedule = resolveSchedule(config.adalora, totalSteps);
      const run = new AdaLoraRun(AdaLoraTuner.create(model, config.adalora), schedule);
      return {
        run,
        schedule,
        exportAdapter: (values, baseModel) =>
          exportAdaLora(
            run,
            values,
            schedule,
            adapterContext(model, config.adalora, model.definition.targetModules.adalora, baseModel),
          ),
      };
    }
    case 'lora': {
      const tuner = LoraTuner.create(model, config.lora);
      return {
        run: staticRun(tuner),
        exportAdapter: (values, baseModel) =>
          exportLora(
            tuner,
            config.lora,
            values,
            adapterContext(model, config.lora, model.definition.targetModules.lora, baseModel),
          ),
      };
    }
    case 'full':
      return { run: staticRun(new FullTuner(model)) };
  }
}

/** LoRA or AdaLoRA from an adapter's values on, at its ranks: those of AdaLoRA are not allocated a second time. */
function continuedMethod(config: RunConfig, model: TunableModel, start: PeftAdapter): Method {
  const settings = config.method === 'lora' ? config.lora : config.method === 'adalora' && config.adalora;
  if (!settings) throw new Error(`no adapter is continued with ${config.method}`);
  const { lora_dropout } = settings;
  const { tuner, values } = importAdapter(model, start, `adapter: ${config.adapter}`, settings);
  return {
    run: staticRun(tuner),
    start: values,
    exportAdapter: (trained, baseModel) =>
      exportContinued(start.config, tuner.layout, trained, {
        base_model_name_or_path: baseModel,
        lora_dropout,
      }),
  };
}

function adapterContext(
  { definition, headKind, head }: TunableModel,
  config: { target_modules?: string | string[]; modules_to_save?: string[] },
  defaults: readonly string[],
  baseModel: string,
): AdapterContext {
  return {
    baseModel,
    taskType: headKind === 'MASKED_LM' ? null : headKind,
    library: transformersModule(definition.modelType),
    architecture: head.architecture,
    targetModules: config.target_modules ?? defaults,
    modulesToSave: [...head.modules, ...(config.modules_to_save ?? [])],
  };
}

/** Where transformers has a family's code. */
function transformersModule(modelType: string): string {
  const folder = modelType.replaceAll('-', '_');
  return `transformers.models.${folder}.modeling_${folder}`;
}
