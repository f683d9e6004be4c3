import { taskTypeFor } from '../../../models/heads/task-type-of.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import type { TunableModel } from '../tuner.ts';

/** The settings of a method that select modules. */
interface Selection {
  target_modules?: string | readonly string[];
  modules_to_save?: readonly string[];
}

/**
 * The settings that PEFT writes for every adapter.
 *
 * @param targets the target modules of a config without `target_modules`
 * @param modules the adapted modules
 */
export function describedAdapter<Config extends Selection>(
  model: TunableModel,
  config: Config,
  targets: readonly string[],
  modules: readonly LinearModule[],
  baseModel: string,
) {
  const { definition, head } = model;
  const taskType = taskTypeFor(model);
  const saved = [...head.modules, ...(config.modules_to_save ?? [])];
  return {
    ...config,
    base_model_name_or_path: baseModel,
    task_type: taskType,
    // Without a task type, PEFT needs the name of the model's class.
    auto_mapping:
      taskType === null
        ? { base_model_class: head.architecture, parent_library: transformersModule(definition.modelType) }
        : null,
    target_modules: config.target_modules ?? targets,
    modules_to_save: saved.length > 0 ? saved : null,
    // PEFT overwrites it with each adapted module, so the last one decides.
    fan_in_fan_out: modules.at(-1)?.transposed ?? false,
    inference_mode: true,
  };
}

/** The Python module in transformers with a family's code. */
function transformersModule(modelType: string): string {
  const folder = modelType.replaceAll('-', '_').replace(/_vision_model$/, '');
  return `transformers.models.${folder}.modeling_${folder}`;
}
