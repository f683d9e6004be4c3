import { hasWarmup, scheduleOptions } from '../../../methods/optim/schedule.ts';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../../methods/tuners/registry.ts';
import { ownMetricProblems } from '../../../scores/metrics/own-metrics.ts';
import { listed } from '../../../support/text.ts';
import { brokenRules, type Problem, type Rule, shown } from '../../../support/user-error.ts';
import { foldCount, heldOutShare, placeProblems, scorePrefixes } from '../../../tasks/data-files.ts';
import type { BaseData } from '../../../tasks/prediction.ts';
import { listMetrics, type TaskName, taskNamed } from '../../../tasks/registry.ts';
import type { SoundConfig } from './sound-config.ts';
import type { TrainingSection } from './training-section.ts';

/** When to evaluate if the config does not say. */
export function defaultEvalStrategy(data: Pick<BaseData, 'validation'>): 'epoch' | 'no' {
  const isFolded = foldCount(data.validation) !== undefined;
  return data.validation === undefined || isFolded ? 'no' : 'epoch';
}

/**
 * Finds problems within `training`, and between `training`, the task and the data.
 *
 * @param ownMetrics names of custom scores
 */
function trainingProblems(
  training: TrainingSection,
  { task, data, defaults = 'chosen' }: Pick<SoundConfig, 'task' | 'data' | 'defaults'>,
  ownMetrics: readonly string[],
): Problem[] {
  return [
    ...brokenRules('training', warmupRules(training)),
    ...(data ? brokenRules('training', evaluationRules(training, data, holdsOut(defaults, task))) : []),
    ...brokenRules('training', scheduleRules(training)),
    ...(task ? metricProblems(training, task, ownMetrics, data) : []),
    ...(task ? brokenRules('training', taskRules(training, task)) : []),
    ...brokenRules('training', ownLossRules(training)),
  ];
}

function warmupRules({ warmup_ratio, warmup_steps, lr_scheduler_type: type }: TrainingSection): Rule[] {
  return [
    [
      warmup_ratio > 0 && warmup_steps > 0,
      'warmup_steps',
      `(${warmup_steps}) cannot be combined with warmup_ratio (${warmup_ratio})`,
      'Remove one of them.',
    ],
    [
      !hasWarmup(type) && warmup_ratio + warmup_steps > 0,
      'lr_scheduler_type',
      `is ${type}, which has no warm-up`,
      `${type === 'constant' ? 'Use constant_with_warmup, or remove' : 'Remove'} warmup_ratio and warmup_steps.`,
    ],
  ];
}

/** Finds options of other schedules, and required options that are missing. */
function scheduleRules({
  lr_scheduler_type: type,
  lr_scheduler_kwargs: options = {},
}: TrainingSection): Rule[] {
  const known: readonly string[] = scheduleOptions(type);
  const at = (key: string) => `lr_scheduler_kwargs.${key}`;
  const only = known.length > 0 ? `It has ${known.join(', ')}.` : 'Remove it.';
  return [
    ...Object.keys(options).map(
      (key): Rule => [!known.includes(key), at(key), `is not an option of ${type}`, only],
    ),
    [
      type === 'warmup_stable_decay' && options.num_decay_steps === undefined,
      at('num_decay_steps'),
      `is required with ${type}`,
      'Set the number of steps of the decay.',
    ],
  ];
}

/** Whether rows are held out if the config names no validation set. */
function holdsOut(defaults: SoundConfig['defaults'], task: TaskName | undefined): boolean {
  return defaults === 'chosen' && task !== undefined && taskNamed(task).files.countRows !== undefined;
}

function evaluationRules(
  { eval_strategy, eval_steps, early_stopping_patience, load_best_model_at_end }: TrainingSection,
  data: Pick<BaseData, 'validation'>,
  mayHoldOut: boolean,
): Rule[] {
  const isFolded = foldCount(data.validation) !== undefined;
  const isValidated = !isFolded && (data.validation !== undefined || mayHoldOut);
  const strategy = eval_strategy ?? (isValidated ? 'epoch' : 'no');
  const needing = { early_stopping_patience: early_stopping_patience !== undefined, load_best_model_at_end };
  return [
    [
      strategy !== 'no' && !isValidated,
      'eval_strategy',
      `is ${strategy}, but there is no data.validation to evaluate on`,
      'Set data.validation, or set eval_strategy to no.',
    ],
    [
      strategy === 'steps' && eval_steps === undefined,
      'eval_steps',
      'is required with eval_strategy: steps',
      'Set the number of steps between evaluations.',
    ],
    [
      strategy === 'epoch' && eval_steps !== undefined,
      'eval_steps',
      'requires eval_strategy: steps, got epoch',
      'Set eval_strategy to steps, or remove eval_steps.',
    ],
    ...Object.entries(needing).map(
      ([key, isSet]): Rule => [
        isSet && strategy === 'no',
        key,
        `requires evaluations, but ${eval_strategy ? 'eval_strategy is no' : 'there is no data.validation'}`,
        `${eval_strategy ? 'Set eval_strategy to epoch' : 'Set data.validation'}, or remove ${key}.`,
      ],
    ),
  ];
}

/**
 * Checks the score that selects the best model. With several sets, each set has its own scores. A score without a set
 * is the first set's.
 */
function metricProblems(
  { metric_for_best_model: metric }: TrainingSection,
  task: TaskName,
  ownMetrics: readonly string[],
  data?: BaseData,
): Problem[] {
  const scores = [...listMetrics(task, data), ...ownMetrics];
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

function taskRules(
  { class_weights, floor, label_smoothing_factor }: TrainingSection,
  task: TaskName,
): Rule[] {
  const { classes, training } = taskNamed(task);
  const { probing, comparesRows, smoothsLabels } = training;
  const foreign = (isSet: unknown, key: string, reason: string): Rule => [
    Boolean(isSet),
    key,
    `does not apply to task ${task}, because ${reason}`,
    'Remove it.',
  ];
  return [
    [
      label_smoothing_factor > 0 && !smoothsLabels,
      'label_smoothing_factor',
      `must be 0 for task ${task}, because its loss has no labels to smooth`,
    ],
    foreign(class_weights && !classes?.counts, 'class_weights', 'its loss has no classes to weight'),
    foreign(floor && !probing && !comparesRows, 'floor', 'its rows are not scored one by one'),
  ];
}

/** Finds options of the task's loss that have no effect, because a custom loss replaces it. */
function ownLossRules({
  compute_loss_func: own,
  label_smoothing_factor,
  class_weights,
}: TrainingSection): Rule[] {
  const ignored = { label_smoothing_factor: label_smoothing_factor > 0, class_weights };
  return Object.entries(ignored).map(
    ([key, isSet]): Rule => [
      Boolean(own && isSet),
      key,
      'does not apply to compute_loss_func',
      'Remove one of them.',
    ],
  );
}

export function withoutPrefix(metric: string): string {
  return metric.replace(/^eval_/, '');
}

/**
 * Finds problems between keys that are each valid.
 *
 * @param ownMetrics names of custom scores
 */
export function crossCheck(sections: SoundConfig, ownMetrics: readonly string[] = []): Problem[] {
  const { task, data, training } = sections;
  return [
    ...ownMetricProblems(ownMetrics),
    ...(task && data ? answerProblems(ownMetrics, task, data) : []),
    ...(sections.method ? methodProblems(sections.method, sections) : []),
    ...(task && data ? (taskNamed(task).problems?.(data) ?? []) : []),
    ...(data ? placeProblems(data) : []),
    ...(task && data ? splitProblems(task, data) : []),
    ...(training ? trainingProblems(training, sections, ownMetrics) : []),
  ];
}

function splitProblems(task: TaskName, { validation }: BaseData): Problem[] {
  if (heldOutShare(validation) === undefined || taskNamed(task).files.splittable) return [];
  const fault = `must be a file for task ${task}, which cannot hold out rows, got ${shown(validation)}`;
  return [{ path: ['data', 'validation'], fault }];
}

/** Finds tasks whose evaluations do not report predictions, which custom scores need. */
function answerProblems(ownMetrics: readonly string[], task: TaskName, data: BaseData): Problem[] {
  if (ownMetrics.length === 0 || taskNamed(task).scores.tellsAnswers?.(data)) return [];
  const fault = `(${ownMetrics.join(', ')}) cannot be computed, because ${task} evaluates the loss only with this data section`;
  return [{ path: ['metrics'], fault }];
}

/** Finds problems between the method and the model or adapter that the run starts from. */
function methodProblems(method: MethodName, sections: SoundConfig): Problem[] {
  const { adapter, model_init, base_dtype = 'float32' } = sections;
  const { trains, continues, kind, requiredBase } = methodNamed(method);
  const problems: Problem[] = [];
  if (adapter !== undefined && !continues) {
    problems.push({
      path: ['adapter'],
      fault: `requires method ${methodsThat((name) => methodNamed(name).continues !== undefined)}, got ${method}`,
      hint:
        kind?.unmergeable === undefined
          ? 'Merge the adapter (adalora export --as merged) and set model to the result.'
          : 'Such an adapter is trained in one run. Resume that run with more steps (--resume).',
    });
  }
  const required = sections.settings && requiredBase?.(sections.settings);
  if (required && required.dtype !== base_dtype) {
    problems.push({
      path: ['base_dtype'],
      fault: `must be ${required.dtype} with ${method}.${required.key}, got ${base_dtype}`,
      hint: `Set base_dtype: ${required.dtype}, or another start.`,
    });
  }
  if (trains === 'adapter' && model_init === 'random') {
    problems.push({
      path: ['model_init'],
      fault: `cannot be random with method ${method}, because the adapter would belong to weights that are not saved`,
      hint: `Set method: ${methodsThat((name) => methodNamed(name).trains === 'model')}.`,
    });
  }
  if (trains === 'model' && base_dtype !== 'float32') {
    problems.push({
      path: ['base_dtype'],
      expected: `float32 with method ${method}, which trains every weight`,
      got: base_dtype,
      hint: `Train an adapter (method: ${methodsThat((name) => methodNamed(name).trains === 'adapter')}), or remove base_dtype.`,
    });
  }
  return problems;
}

function methodsThat(fits: (name: MethodName) => boolean): string {
  return listed(METHOD_NAMES.filter(fits), 'or');
}
