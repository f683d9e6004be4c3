import type { z } from 'zod';
import { METHOD_NAMES, methodNamed } from '../../../methods/tuners/registry.ts';
import { scoreFacts } from '../../../scores/metrics/scores.ts';
import { scorePrefixes, withSplits } from '../../../tasks/data-files.ts';
import { metricsOf, taskNamed } from '../../../tasks/registry.ts';
import type { BaseData } from '../../../tasks/task-definition.ts';
import { openKeys } from './defaults/open-keys.ts';
import type { ParsedConfig, TaskSection } from './run-config.ts';
import type { RunSchema } from './run-schema.ts';
import { defaultEvalStrategy, withoutPrefix } from './training-problems.ts';

/** The schema's output, with the `data` section of the config's task. */
export type CheckedConfig = Omit<z.output<RunSchema>, 'task' | 'data'> & TaskSection;

/**
 * Fills in defaults that depend on other keys, and removes the sections of other methods. Values that depend on the
 * rows and the model are left to `chooseDefaults`.
 */
export function fillInDefaults(
  sound: CheckedConfig,
  userConfig: unknown,
  ownMetrics: readonly string[],
): ParsedConfig {
  const data = withSplits<BaseData>(sound.data, sound.training.eval_strategy !== 'no');
  const checked = { ...sound, data } as CheckedConfig;
  const { method, training } = checked;
  const { batchSize } = taskNamed(checked.task).training;
  const [firstMetric] = metricsOf(checked.task, checked.data);
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
        greater_is_better: training.greater_is_better ?? (isOwn || !scoreFacts(metric)?.lessIsBetter),
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
  const scores: readonly string[] = [...metricsOf(task, data), ...ownMetrics];
  return scores.includes(metric) ? first + metric : metric;
}

function without(section: object, isLeftOut: (key: string) => boolean): object {
  return Object.fromEntries(
    Object.entries(section).filter(([key, value]) => value !== undefined && !isLeftOut(key)),
  );
}
