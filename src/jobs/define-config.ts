import type { AnyTaskName, UsualTask } from '../tasks/prediction-types.ts';
import type { ConfigWithRows } from './rows-in-memory.ts';

/** A config of a task. */
export type ConfigOf<Task extends AnyTaskName = UsualTask> = ConfigWithRows & { task?: Task | undefined };

/**
 * Returns a config unchanged. With this function, editors complete and explain the keys, and mark errors. A model that is
 * opened by the config has the types of its task.
 *
 * @example export default defineConfig({ data: { train: 'train.tsv', text: 'text', label: 'label' }, output:
 * 'runs/a' })
 */
export function defineConfig<const Task extends AnyTaskName = UsualTask>(
  config: ConfigOf<Task>,
): ConfigOf<Task> {
  return config;
}
