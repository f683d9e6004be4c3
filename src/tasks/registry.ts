import type { z } from 'zod';
import type { CommonConfig } from '../models/model-definition.ts';
import type { ScoreName } from '../scores/metrics/scores.ts';
import { shown, UserError } from '../support/user-error.ts';
import { automaticSpeechRecognition } from './automatic-speech-recognition/definition.ts';
import { causalLm } from './causal-lm/definition.ts';
import { tasks } from './define-task.ts';
import { maskedLm } from './masked-lm/definition.ts';
import { multiLabelClassification } from './multi-label-classification/definition.ts';
import type { BaseData } from './prediction.ts';
import { preference } from './preference/definition.ts';
import { questionAnswering } from './question-answering/definition.ts';
import { regression } from './regression/definition.ts';
import { reranking } from './reranking/definition.ts';
import { sentenceEmbedding } from './sentence-embedding/definition.ts';
import { seq2seqLm } from './seq2seq-lm/definition.ts';
import { singleLabelClassification } from './single-label-classification/definition.ts';
import type { AnyTask, Recognized, UnknownTrained } from './task-definition.ts';
import { tokenClassification } from './token-classification/definition.ts';

/** The built-in tasks, by name in a config. To add a task, add a folder here and an entry below. */
export const TASKS = {
  single_label_classification: singleLabelClassification,
  regression,
  multi_label_classification: multiLabelClassification,
  causal_lm: causalLm,
  preference,
  masked_lm: maskedLm,
  token_classification: tokenClassification,
  seq2seq_lm: seq2seqLm,
  automatic_speech_recognition: automaticSpeechRecognition,
  question_answering: questionAnswering,
  sentence_embedding: sentenceEmbedding,
  reranking,
};

export type TaskName = keyof typeof TASKS;

/** The `data` section of each task. */
export type DataOf = { [Task in TaskName]: z.output<(typeof TASKS)[Task]['data']> };
/** The `data` section of each task as users write it. Keys with a default are optional. */
export type DataInputOf = { [Task in TaskName]: z.input<(typeof TASKS)[Task]['data']> };

tasks.addBuiltIn(TASKS);

/** Names of all tasks, including tasks that programs define. The array grows with `defineTask`. */
export const TASK_NAMES = tasks.names as [TaskName, ...TaskName[]];

/** The task of a config that does not name one. */
export const DEFAULT_TASK: TaskName = 'single_label_classification';

export function taskNamed(name: TaskName): AnyTask {
  return tasks.named(name);
}

/** The address of the module that defines a task. Undefined for built-in tasks. */
export function moduleOfTask(name: TaskName): string | undefined {
  return tasks.moduleOf(name);
}

/** The scores of a task, optionally for a `data` section. The default score for comparing models comes first. */
export function listMetrics(name: TaskName, data?: BaseData): readonly ScoreName[] {
  const { scores } = taskNamed(name);
  return (data && scores.metricsOf?.(data)) ?? scores.metrics;
}

/**
 * The maximum number of tokens of an example, and the key that sets it. `requested` is undefined if neither the section
 * nor the model sets it. A default above the model's limit is lowered to it, and `unlowered` is then the default.
 */
export function findMaxLength(
  name: TaskName,
  data: BaseData,
  config: CommonConfig,
): { requested?: number; key: string; unlowered?: number } {
  const { length, data: schema } = taskNamed(name);
  const key = length?.key ?? 'max_length';
  const value = (data as unknown as Record<string, number | undefined>)[key];
  const isDefault = value !== undefined && value === schema.shape[key].safeParse(undefined).data;
  if (isDefault && value > config.maxLength) return { requested: config.maxLength, key, unlowered: value };
  return { requested: value ?? length?.ofModel?.(config), key };
}

/** The task with vectors of texts as answers. */
export function vectorTask(): TaskName {
  return TASK_NAMES.find((name) => taskNamed(name).prediction?.vectors) as TaskName;
}

/** The tasks with this key in their `data` section. */
export function tasksWith(key: string): TaskName[] {
  return TASK_NAMES.filter((task) => Object.hasOwn(taskNamed(task).data.shape, key));
}

/**
 * The task of a model or adapter that adalora did not train. Tasks with a special head are tried before the
 * classifiers.
 *
 * @throws UserError for a model with classes that fit no task
 */
export function recognizedTask(model: UnknownTrained): Recognized & { task: TaskName } {
  for (const task of [...TASK_NAMES].reverse()) {
    const problemType = taskNamed(task).recognizes(model);
    if (problemType) return { task, ...problemType };
  }
  const problemTypes = TASK_NAMES.filter(
    (name) => 'problem_type' in (taskNamed(name).classes?.keys?.([]) ?? {}),
  );
  throw new UserError({
    where: 'config.json',
    key: 'problem_type',
    expected: `one of ${problemTypes.join(', ')}`,
    got: shown(model.json.problem_type),
    code: 'unsupported',
  });
}
