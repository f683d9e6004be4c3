import type { TaskType } from '../../data/task-type.ts';
import { type Problem, shown } from './problem.ts';
import type { DataConfig, TrainingSection } from './sections.ts';

/** The metrics by which a task's models are compared, the default first. All but these two are better when greater. */
export const METRICS: Readonly<Record<TaskType, readonly string[]>> = {
  single_label_classification: ['accuracy', 'f1', 'matthews_correlation', 'loss'],
  regression: ['pearson', 'spearmanr', 'mse', 'loss'],
  multi_label_classification: ['f1', 'accuracy', 'loss'],
};
export const LESS_IS_BETTER: readonly string[] = ['loss', 'mse'];

/** Sections of a config that are sound in themselves. */
export interface SoundSections {
  task?: TaskType;
  method?: 'adalora' | 'lora' | 'full';
  adapter?: string;
  data?: DataConfig;
  training?: TrainingSection;
}

/** When to evaluate, if the config does not say. */
export function defaultEvalStrategy(data: DataConfig): 'epoch' | 'no' {
  return data.validation === undefined ? 'no' : 'epoch';
}

/** What is wrong between keys that are right each for itself. */
export function crossCheck({ task, method, adapter, data, training }: SoundSections): Problem[] {
  return [
    ...(method === 'full' && adapter !== undefined ? [ADAPTER_OF_FULL] : []),
    ...(data ? columnProblems(data) : []),
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

function columnProblems({ text, text_pair, label }: DataConfig): Problem[] {
  if (label !== text && label !== text_pair) return [];
  const expected = `another column than data.${label === text ? 'text' : 'text_pair'}`;
  return [{ path: ['data', 'label'], expected, got: shown(label) }];
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

function evaluationProblems(training: TrainingSection, data: DataConfig): Problem[] {
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

function metricProblems({ metric_for_best_model: metric }: TrainingSection, task: TaskType): Problem[] {
  if (metric === undefined || METRICS[task].includes(withoutPrefix(metric))) return [];
  return [
    {
      path: ['training', 'metric_for_best_model'],
      expected: `a metric of ${task} (${METRICS[task].join(', ')})`,
      got: shown(metric),
    },
  ];
}

export function withoutPrefix(metric: string): string {
  return metric.replace(/^eval_/, '');
}
