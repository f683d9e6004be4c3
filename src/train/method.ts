import { AdaLoraRun } from '../tuners/adalora/adalora-run.ts';
import { AdaLoraTuner } from '../tuners/adalora/adalora-tuner.ts';
import type { AllocationSchedule } from '../tuners/adalora/budget.ts';
import { resolveSchedule } from '../tuners/adalora/resolve-schedule.ts';
import { FullTuner } from '../tuners/full/full-tuner.ts';
import { LoraTuner } from '../tuners/lora/lora-tuner.ts';
import { type MethodRun, staticRun } from '../tuners/method-run.ts';
import {
  type AdapterContext,
  exportAdaLora,
  exportLora,
  type PeftAdapter,
} from '../tuners/peft/export-adapter.ts';
import type { TunableModel } from '../tuners/tuner.ts';
import type { RunConfig } from './run-config.ts';

/** A configured method on a model. */
export interface Method {
  run: MethodRun;
  /** The phases of the budget (AdaLoRA). */
  schedule?: AllocationSchedule;
  /** The adapter that trained values make; methods without adapters change the model itself. */
  exportAdapter?(values: Float32Array, baseModel: string): PeftAdapter;
}

/** Sets up a run's method; `totalSteps` fixes AdaLoRA's schedule. */
export function createMethod(config: RunConfig, model: TunableModel, totalSteps: number): Method {
  switch (config.method) {
    case 'adalora': {
      const schedule = resolveSchedule(config.adalora, totalSteps);
      const run = new AdaLoraRun(AdaLoraTuner.create(model, config.adalora), schedule);
      return {
        run,
        schedule,
        exportAdapter: (values, baseModel) =>
          exportAdaLora(run, values, schedule, adapterContext(model, config.adalora, baseModel)),
      };
    }
    case 'lora': {
      const tuner = LoraTuner.create(model, config.lora);
      return {
        run: staticRun(tuner),
        exportAdapter: (values, baseModel) =>
          exportLora(tuner, config.lora, values, adapterContext(model, config.lora, baseModel)),
      };
    }
    case 'full':
      return { run: staticRun(new FullTuner(model)) };
  }
}

function adapterContext(
  { definition }: TunableModel,
  config: { target_modules?: string | string[]; modules_to_save?: string[] },
  baseModel: string,
): AdapterContext {
  return {
    baseModel,
    taskType: 'SEQ_CLS',
    targetModules: config.target_modules ?? definition.defaultTargetModules,
    modulesToSave: [...definition.headModules, ...(config.modules_to_save ?? [])],
  };
}
