import type { z } from 'zod';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../../methods/tuners/registry.ts';
import { scoreDefinition } from '../../../scores/metrics/scores.ts';
import { scorePrefixes, withSplits } from '../../../tasks/data-files.ts';
import type { BaseData } from '../../../tasks/prediction.ts';
import { listMetrics, taskNamed } from '../../../tasks/registry.ts';
import { CHOSEN_TRAINING, type ChosenTraining } from './defaults/policy.ts';
import type { ParsedConfig, TaskSection } from './run-config.ts';
import type { RunSchema } from './run-schema.ts';
import { defaultEvalStrategy, withoutPrefix } from './training-problems.ts';

type SchemaOutput = z.output<RunSchema>;
type Checked = Omit<SchemaOutput, 'task' | 'data'> & TaskSection;

/**
 * Fills in defaults that depend on other keys, and removes the sections of other methods. Values that depend on the
 * rows and the model are left to `chooseDefaults`.
 */
export function fillInDefaults(
  sound: SchemaOutput,
  userConfig: unknown,
  ownMetrics: readonly string[],
): ParsedConfig {
  const data = withSplits(sound.data as unknown as BaseData, sound.training.eval_strategy !== 'no');
  const checked = { ...sound, data } as Checked;
  const { method, training } = checked;
  const { batchSize } = taskNamed(checked.task).training;
  const [firstMetric] = listMetrics(checked.task, checked.data);
  const metric = withSet(withoutPrefix(training.metric_for_best_model ?? firstMetric!), checked, ownMetrics);
  // A custom score `my_loss` is not the loss of a set `my`.
  const isOwn = scorePrefixes(data.validation).some((set) =>
    ownMetrics.some((name) => set + name === metric),
  );
  const sections: Record<string, unknown> = checked;
  const others: string[] = METHOD_NAMES.filter((name) => name in sections);
  const run = Object.fromEntries(
    Object.entries(sections).filter(([key]) => ![...others, 'training', 'method'].includes(key)),
  );
  const methodSection = sections[method] as object | undefined;
  const inSection = (userConfig as Record<string, object | undefined>)[method] ?? {};
  const open = openKeys(checked, userConfig as { training?: object });
  const isOpen = (key: string) => checked.adapter !== undefined || open.section.includes(key);
  const settings = methodSection && without(methodSection, (key) => !(key in inSection) && isOpen(key));
  return {
    ...run,
    training: without(
      {
        ...training,
        learning_rate: training.learning_rate ?? methodNamed(method).learningRate,
        per_device_train_batch_size: training.per_device_train_batch_size ?? batchSize.train,
        per_device_eval_batch_size: training.per_device_eval_batch_size ?? batchSize.eval,
        eval_strategy: training.eval_strategy ?? defaultEvalStrategy(checked.data),
        metric_for_best_model: metric,
        greater_is_better: training.greater_is_better ?? (isOwn || !scoreDefinition(metric)?.lessIsBetter),
      },
      (key) => open.training.some((name) => name === key),
    ),
    method,
    ...(settings && { [method]: settings }),
  } as ParsedConfig;
}

/** Adds the name of the first validation set to a score without a set. */
function withSet(metric: string, { task, data }: TaskSection, ownMetrics: readonly string[]): string {
  const [first] = scorePrefixes(data.validation);
  const scores: readonly string[] = [...listMetrics(task, data), ...ownMetrics];
  return scores.includes(metric) ? first + metric : metric;
}

function without(section: object, isLeftOut: (key: string) => boolean): object {
  return Object.fromEntries(
    Object.entries(section).filter(([key, value]) => value !== undefined && !isLeftOut(key)),
  );
}

/** The keys that the policy must choose for a config. */
function openKeys(
  { defaults, method, task, data, training }: Checked,
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
export function sectionKeys(method: MethodName): string[] {
  const { encoder, language } = methodNamed(method).chosen;
  return [...new Set(Object.keys({ ...encoder, ...language }))].filter((key) => key !== 'rate');
}
