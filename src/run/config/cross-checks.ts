import type { BaseDtype } from '../../bases/base-dtype.ts';
import { ownMetricProblems } from '../../metrics/own-metrics.ts';
import { type Problem, shown } from '../../support/problem.ts';
import { heldOutShare, placeProblems, scorePrefixes } from '../../tasks/data-files.ts';
import { metricsOf, type TaskName, taskNamed } from '../../tasks/registry.ts';
import type { BaseData } from '../../tasks/task-definition.ts';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../tuners/registry.ts';
import type { TrainingSection } from './training-section.ts';

/** Sections of a config that are sound in themselves. */
export interface SoundSections {
  task?: TaskName;
  model_init?: 'checkpoint' | 'random';
  base_dtype?: BaseDtype;
  method?: MethodName;
  adapter?: string;
  /** That of the task. */
  data?: BaseData;
  training?: TrainingSection;
}

/** When to evaluate, if the config does not say. */
export function defaultEvalStrategy(data: Pick<BaseData, 'validation'>): 'epoch' | 'no' {
  return data.validation === undefined ? 'no' : 'epoch';
}

/**
 * What is wrong between keys that are right each for itself.
 *
 * @param own names of scores of the caller's own
 */
export function crossCheck(sections: SoundSections, own: readonly string[] = []): Problem[] {
  const { task, data, training } = sections;
  return [
    ...ownMetricProblems(own),
    ...(task && data ? answerProblems(own, task, data) : []),
    ...(sections.method ? methodProblems(sections.method, sections) : []),
    ...(task && data ? (taskNamed(task).problems?.(data) ?? []) : []),
    ...(data ? placeProblems(data) : []),
    ...(task && data ? splitProblems(task, data) : []),
    ...(training ? warmupProblems(training) : []),
    ...(training && data ? evaluationProblems(training, data) : []),
    ...(training && task ? metricProblems(training, task, own, data) : []),
    ...(training && task ? smoothingProblems(training, task) : []),
    ...(training && task ? weightProblems(training, task) : []),
  ];
}

function methodProblems(method: MethodName, sections: SoundSections): Problem[] {
  const { adapter, model_init, base_dtype = 'float32' } = sections;
  const { trains, continues } = methodNamed(method);
  const problems: Problem[] = [];
  if (adapter !== undefined && !continues) {
    problems.push({
      path: ['adapter'],
      expected: `method ${methodsThat((name) => methodNamed(name).continues !== undefined)} beside it`,
      got: method,
      hint: 'Merge the adapter (adalora merge) and give the result as the model.',
    });
  }
  if (trains === 'adapter' && model_init === 'random') {
    problems.push({
      path: ['model_init'],
      expected: 'checkpoint, where an adapter is trained',
      got: 'random',
      hint: `Set method: ${methodsThat((name) => methodNamed(name).trains === 'model')}. An adapter of weights that nobody has is of no use.`,
    });
  }
  if (trains === 'model' && base_dtype !== 'float32') {
    problems.push({
      path: ['base_dtype'],
      expected: `float32, where every weight is trained (method: ${method})`,
      got: base_dtype,
      hint: `Train an adapter (method: ${methodsThat((name) => methodNamed(name).trains === 'adapter')}), or leave base_dtype out.`,
    });
  }
  return problems;
}

function methodsThat(fits: (name: MethodName) => boolean): string {
  const names = METHOD_NAMES.filter(fits);
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
}

function weightProblems({ class_weights: weights }: TrainingSection, task: TaskName): Problem[] {
  if (weights === undefined || taskNamed(task).classCounts) return [];
  const expected = `nothing, for the loss of ${task} has no classes to weigh`;
  return [{ path: ['training', 'class_weights'], expected, got: shown(weights) }];
}

function splitProblems(task: TaskName, { validation }: BaseData): Problem[] {
  if (heldOutShare(validation) === undefined || taskNamed(task).holdOut) return [];
  const expected = `a file, for task ${task} learns from texts that are no rows`;
  return [{ path: ['data', 'validation'], expected, got: shown(validation) }];
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

function evaluationProblems(training: TrainingSection, data: Pick<BaseData, 'validation'>): Problem[] {
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

/** Of several sets each has its own scores; a score without a set is the first one's. */
function metricProblems(
  { metric_for_best_model: metric }: TrainingSection,
  task: TaskName,
  own: readonly string[],
  data?: BaseData,
): Problem[] {
  const scores = [...metricsOf(task, data), ...own];
  const metrics = scorePrefixes(data?.validation).flatMap((prefix) => scores.map((score) => prefix + score));
  const known: readonly string[] = [...scores, ...metrics];
  if (metric === undefined || known.includes(withoutPrefix(metric))) return [];
  return [
    {
      path: ['training', 'metric_for_best_model'],
      expected: `a metric of ${task} (${metrics.join(', ')})`,
      got: shown(metric),
    },
  ];
}

/** Scores of one's own are made of answers. */
function answerProblems(own: readonly string[], task: TaskName, data: BaseData): Problem[] {
  if (own.length === 0 || taskNamed(task).tellsAnswers?.(data)) return [];
  const expected = `nothing, for an evaluation of ${task} gives a loss alone with this data section`;
  return [{ path: ['metrics'], expected, got: own.join(', ') }];
}

function smoothingProblems({ label_smoothing_factor: factor }: TrainingSection, task: TaskName): Problem[] {
  if (factor === 0 || taskNamed(task).smoothsLabels) return [];
  const expected = `0, for the loss of ${task} has no labels to smooth`;
  return [{ path: ['training', 'label_smoothing_factor'], expected, got: shown(factor) }];
}

export function withoutPrefix(metric: string): string {
  return metric.replace(/^eval_/, '');
}
