import { methodNamed } from '../../../../methods/tuners/registry.ts';
import { taskNamed } from '../../../../tasks/registry.ts';
import type { CheckedConfig } from '../fill-in-defaults.ts';
import { CHOSEN_TRAINING, type ChosenTraining } from './policy.ts';

/** The keys that the policy must choose for a config. */
export function openKeys(
  { defaults, method, task, data, training }: CheckedConfig,
  { training: given = {} }: { training?: object },
): { training: readonly ChosenTraining[]; section: readonly string[] } {
  if (defaults === 'huggingface') return { training: [], section: [] };
  const warmsUp = training.warmup_steps === 0 && training.lr_scheduler_type !== 'constant';
  const settled: Partial<Record<ChosenTraining, boolean>> = {
    num_train_epochs: training.max_steps > 0,
    warmup_ratio: !warmsUp,
    eval_strategy: data.validation !== undefined || taskNamed(task).files.countRows === undefined,
  };
  return {
    training: CHOSEN_TRAINING.filter((key) => !(key in given) && !settled[key]),
    section: sectionKeys(method),
  };
}

/** The keys in a method's section that the policy chooses. */
export function sectionKeys(method: CheckedConfig['method']): string[] {
  const { encoder, language } = methodNamed(method).chosen;
  return [...new Set(Object.keys({ ...encoder, ...language }))].filter((key) => key !== 'rate');
}
