import type { TaskName } from '../../data/task-type.ts';
import type { BaseDtype } from '../../bases/base-dtype.ts';
import { type Problem, shown } from '../../support/problem.ts';
import type { TrainingSection } from './training-section.ts';
import { type AnyData, TASK_SETTINGS } from './task-settings.ts';

/** Sections of a config that are sound in themselves. */
export interface SoundSections {
  task?: TaskName;
  model_init?: 'checkpoint' | 'random';
  base_dtype?: BaseDtype;
  method?: 'adalora' | 'lora' | 'full';
  adapter?: string;
  /** That of the task. */
  data?: AnyData;
  training?: TrainingSection;
}

/** When to evaluate, if the config does not say. */
export function defaultEvalStrategy(data: Pick<AnyData, 'validation'>): 'epoch' | 'no' {
  return data.validation === undefined ? 'no' : 'epoch';
}

/** What is wrong between keys that are right each for itself. */
export function crossCheck(sections: SoundSections): Problem[] {
  const { task, model_init, base_dtype = 'float32', method, adapter, data, training } = sections;
  return [
    ...(method === 'full' && adapter !== undefined ? [ADAPTER_OF_FULL] : []),
    ...(method !== 'full' && model_init === 'random' ? [ADAPTER_OF_NOISE] : []),
    ...(method === 'full' && base_dtype !== 'float32' ? [notFrozen(base_dtype)] : []),
    ...(task && data ? dataProblems(task, data) : []),
    ...(training ? warmupProblems(training) : []),
    ...(training && data ? evaluationProblems(training, data) : []),
    ...(training && task ? metricProblems(training, task) : []),
  ];
}

const ADAPTER_OF_FULL: Problem = {
  path: ['adapter'],
  expected: 'method adalora or lora beside it',
  got: 'full',
  hint: 'Merge the adapter (adalora merge) and give the result as the model.',
};

const ADAPTER_OF_NOISE: Problem = {
  path: ['model_init'],
  expected: 'checkpoint, where an adapter is trained',
  got: 'random',
  hint: 'Set method: full. An adapter of weights that nobody has is of no use.',
};

function notFrozen(got: BaseDtype): Problem {
  return {
    path: ['base_dtype'],
    expected: 'float32, where every weight is trained (method: full)',
    got,
    hint: 'Train an adapter (method: adalora or lora), or leave base_dtype out.',
  };
}

function dataProblems<Task extends TaskName>(task: Task, data: AnyData): Problem[] {
  return TASK_SETTINGS[task].problems(data as never);
}

function warmupProblems({ warmup_ratio, warmup_steps, lr_scheduler_type }: TrainingSection): Problem[] {
  const problems: Problem[] = [];
  if (warmup_ratio > 0 && warmup_steps > 0) {
    problems.push({
      path: ['training', 'warmup_steps'],
      expected: 'either warmup_ratio or warmup_steps',
      got: `both (${warmup_ratio} and ${warmup_steps})`,
      hint: 'Remove one of them.',
    });
  }
  if (lr_scheduler_type === 'constant' && warmup_ratio + warmup_steps > 0) {
    problems.push({
      path: ['training', 'lr_scheduler_type'],
      expected: 'a schedule that has a warm-up',
      got: 'constant, which has none',
      hint: 'Use constant_with_warmup, or remove warmup_ratio and warmup_steps.',
    });
  }
  return problems;
}

function evaluationProblems(training: TrainingSection, data: Pick<AnyData, 'validation'>): Problem[] {
  const { eval_steps, early_stopping_patience, load_best_model_at_end } = training;
  const strategy = training.eval_strategy ?? defaultEvalStrategy(data);
  const problems: Problem[] = [];
  if (strategy !== 'no' && data.validation === undefined) {
    problems.push({
      path: ['training', 'eval_strategy'],
      expected: 'data.validation, a file to evaluate on',
      got: `nothing there and eval_strategy ${strategy}`,
      hint: 'Give data.validation, or set eval_strategy to no.',
    });
  }
  if (strategy === 'steps' && eval_steps === undefined) {
    problems.push({
      path: ['training', 'eval_steps'],
      expected: 'the number of steps between evaluations (eval_strategy is steps)',
      got: 'nothing',
    });
  }
  if (strategy === 'epoch' && eval_steps !== undefined) {
    problems.push({
      path: ['training', 'eval_steps'],
      expected: 'eval_strategy: steps beside it',
      got: 'epoch',
      hint: 'Set eval_strategy to steps, or remove eval_steps.',
    });
  }
  const needsEvaluation = [
    ...(early_stopping_patience === undefined ? [] : ['early_stopping_patience']),
    ...(load_best_model_at_end ? ['load_best_model_at_end'] : []),
  ];
  if (strategy !== 'no') return problems;
  return needsEvaluation.map((key) => ({
    path: ['training', key],
    expected: 'evaluations to go by',
    got: training.eval_strategy ? 'eval_strategy no' : 'no data.validation',
    hint: `${training.eval_strategy ? 'Set eval_strategy to epoch' : 'Give data.validation'}, or remove ${key}.`,
  }));
}

function metricProblems({ metric_for_best_model: metric }: TrainingSection, task: TaskName): Problem[] {
  if (metric === undefined || TASK_SETTINGS[task].metrics.includes(withoutPrefix(metric))) return [];
  return [
    {
      path: ['training', 'metric_for_best_model'],
      expected: `a metric of ${task} (${TASK_SETTINGS[task].metrics.join(', ')})`,
      got: shown(metric),
    },
  ];
}

export function withoutPrefix(metric: string): string {
  return metric.replace(/^eval_/, '');
}
